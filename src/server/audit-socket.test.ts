import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { call, openTestCore } from '../vault/test-core.ts';
import { openAuditSocket } from './audit-socket.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Collects lines until it is stopped. */
async function collector(where: { path: string } | { port: number; host: string }) {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  });
  server.listen(where);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  ends.push(stop);
  return { lines, stop, port: (server.address() as AddressInfo).port };
}

const device = (options: Record<string, string>) => ({
  path: 's/',
  type: 'socket',
  description: '',
  options: { write_timeout: '500ms', ...options },
});

describe('an audit socket', () => {
  test('gets the records over TCP', async () => {
    const { lines, port } = await collector({ port: 0, host: '127.0.0.1' });
    const core = await openTestCore({ auditFolders: ['/nowhere'], openAuditSocket });
    ends.push(() => core.close());
    const wanted = { type: 'socket', options: { address: `127.0.0.1:${port}` } };
    expect((await call(core, 'update', 'sys/audit/s', wanted)).status).toBe(204);
    await call(core, 'read', 'sys/mounts');
    await expect.poll(() => lines.length).toBe(4);
    expect(JSON.parse(lines[3] ?? '')).toMatchObject({ type: 'response', request: { path: 'sys/mounts' } });
  });

  test('gets them over a Unix socket, and again after the receiver came back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-socket-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'audit.sock');
    const first = await collector({ path });
    const core = await openTestCore({
      auditDevices: [device({ address: path, socket_type: 'unix' })],
      openAuditSocket,
    });
    ends.push(() => core.close());
    await call(core, 'read', 'sys/mounts');
    await expect.poll(() => first.lines.length).toBe(2);
    await first.stop();
    const second = await collector({ path });
    expect((await call(core, 'read', 'sys/mounts')).status).toBe(200);
    await expect.poll(() => second.lines.length).toBeGreaterThan(0);
  });

  test('that nobody reads makes every call fail', async () => {
    const { stop, port } = await collector({ port: 0, host: '127.0.0.1' });
    await stop();
    const core = await openTestCore({
      auditDevices: [device({ address: `127.0.0.1:${port}` })],
      openAuditSocket,
    });
    ends.push(() => core.close());
    expect(await call(core, 'update', 'cubbyhole/a', { k: 'v' })).toMatchObject({
      status: 500,
      body: { errors: ['1 error occurred:\n\t* internal error\n\n'] },
    });
  });

  test('is refused when its test record does not arrive, or its address is none', async () => {
    const core = await openTestCore({ auditFolders: ['/nowhere'], openAuditSocket });
    ends.push(() => core.close());
    const { stop, port } = await collector({ port: 0, host: '127.0.0.1' });
    await stop();
    const wanted = { type: 'socket', options: { address: `127.0.0.1:${port}`, write_timeout: '1s' } };
    expect(await call(core, 'update', 'sys/audit/s', wanted)).toMatchObject({
      status: 400,
      body: { errors: [expect.stringMatching(/^audit backend failed test message: .*ECONNREFUSED/)] },
    });
    expect(() => openAuditSocket({ type: 'udp', address: 'a:1', timeout: 1 })).toThrow(
      expect.objectContaining({ code: 'audit-socket', message: '"a:1" is not an address for a udp socket' }),
    );
  });
});
