import type { AddressInfo, Server } from 'node:net';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/** `HOST:PORT`, `:PORT` (every interface, as Go writes it) or `[::1]:PORT`. @throws MeshrootError `bad-address` */
export function parseListenAddress(text: string): { host: string | undefined; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new MeshrootError('bad-address', `"${text}" is not an address to listen on`, {
      hint: 'write HOST:PORT, for example 127.0.0.1:15012',
    });
  }
  const host = bracketed ?? plain;
  return { host: host === '' ? undefined : host, port };
}

/** Listens and resolves with the port in use. @throws MeshrootError `cannot-listen` */
export async function listenOn(server: Server, address: string): Promise<number> {
  const { host, port } = parseListenAddress(address);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => {
      const taken = codeOf(error) === 'EADDRINUSE';
      reject(
        new MeshrootError(
          'cannot-listen',
          `cannot listen on ${address}: ${taken ? 'the port is taken' : error.message}`,
          {
            hint: 'choose another HOST:PORT; port 0 takes any free one',
            cause: error,
          },
        ),
      );
    };
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
