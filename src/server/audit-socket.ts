import { connect, type Socket } from 'node:net';
import { MeshrootError } from '../lib/errors.ts';
import type { AuditSocketOptions, LineSink } from '../vault/core/audit-sink.ts';

/** Records that wait for a slow receiver; what comes on top is refused rather than kept in memory. */
const maxWaitingBytes = 8 * 1024 * 1024;

/**
 * Lines to a TCP or Unix socket, in order. Connects at the first line; after a failure it connects anew and tries that
 * line once more. A line counts as written when the system took it, as upstream counts.
 * @throws MeshrootError `audit-socket` for an address that cannot be
 */
export function openAuditSocket({ type, address, timeout }: AuditSocketOptions): LineSink {
  const target = targetOf(type, address);
  let socket: Socket | undefined;
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const drop = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  const send = async (line: string): Promise<void> => {
    socket ??= await connected(target, timeout);
    await written(socket, line, timeout);
  };
  const sendOrRetry = async (line: string): Promise<void> => {
    try {
      await send(line);
    } catch {
      drop();
      await send(line).catch((error: unknown) => {
        drop();
        throw error;
      });
    }
  };
  return {
    write: (line) => {
      const bytes = Buffer.byteLength(line);
      if (waiting + bytes > maxWaitingBytes) {
        throw new MeshrootError(
          'audit-socket',
          `${address} is too slow: ${waiting} bytes are waiting for it`,
        );
      }
      waiting += bytes;
      const done = last.then(() => sendOrRetry(line));
      last = done
        .catch(() => {})
        .then(() => {
          waiting -= bytes;
        });
      return done;
    },
    reopen: drop,
    close: drop,
  };
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

function targetOf(type: string, address: string): Target {
  if (type === 'unix') return { path: address };
  const match = /^\[?(.+?)\]?:(\d{1,5})$/.exec(address);
  if (type === 'tcp' && match?.[1] !== undefined) return { host: match[1], port: Number(match[2]) };
  throw new MeshrootError('audit-socket', `"${address}" is not an address for a ${type} socket`, {
    hint: 'address = "HOST:PORT", or socket_type = "unix" and address = "/path/of/socket"',
  });
}

function connected(target: Target, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(target);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeout, () => fail(new Error('the audit socket did not answer in time')));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', fail);
      socket.on('error', () => socket.destroy()); // the next write notices
      socket.resume(); // nobody is expected to say anything
      resolve(socket);
    });
  });
}

function written(socket: Socket, line: string, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed || socket.readableEnded) {
      reject(new Error('the audit socket was closed'));
      return;
    }
    const timer = setTimeout(() => reject(new Error('the audit socket took too long')), timeout);
    socket.write(line, (error) => {
      clearTimeout(timer);
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}
