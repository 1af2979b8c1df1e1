import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Stands before a Vault and keeps the first write to a path like `pattern` until it is let go. */
export async function holdingProxy(target: string, pattern: RegExp) {
  const { hostname, port } = new URL(target);
  let reached = (): void => {};
  let release = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const free = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const { method, url: path = '', headers } = incoming;
    if (method !== 'GET' && pattern.test(path)) {
      reached();
      await free;
    }
    const forward = request({ hostname, port, path, method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    forward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when a write is being kept. */
    arrived,
    release,
    close: () => {
      release();
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
