import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Endpoint } from './endpoint.ts';
import { Transport } from './transport.ts';

const endpointAt = (server: string): Endpoint => ({
  server,
  namespace: undefined,
  credentials: async () => ({ tls: {}, authorization: undefined }),
});

test('of an API server that never answers a handshake all questions are given up at once, and asked again later', async () => {
  const silent: Socket[] = [];
  const server = createServer((socket) => void silent.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let now = 1_000_000;
  const clock = { now: () => now, sleep: async () => {} };
  const transport = new Transport(endpointAt(`https://127.0.0.1:${port}`), {
    connections: 1,
    connectTimeout: 50,
    clock,
  });
  const ask = (): Promise<string> =>
    transport.json({ method: 'GET', path: '/version' }).then(
      () => 'answered',
      (error: { code: string; message: string }) => `${error.code}: ${error.message.split(': ').at(-1)}`,
    );
  const gone = 'kube-unreachable: no connection within 0.05 s';
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([gone, gone, gone]);
  const waited = silent.length;
  now += 6000;
  expect(await ask()).toBe(gone);
  expect(silent.length).toBeGreaterThan(waited);
  transport.close();
  for (const socket of silent) socket.destroy();
  server.close();
});
