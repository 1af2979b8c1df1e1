import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LoadResult } from './load.ts';
import { runScript } from './program.ts';

const script = fileURLToPath(new URL('./http-load-process.ts', import.meta.url));

test('our own load generator counts answers, and refusals as errors', async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(request.url === '/good' ? 200 : 403).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const load = (path: string) =>
    runScript<LoadResult>(script, {
      url: `http://127.0.0.1:${port}${path}`,
      method: 'POST',
      headers: {},
      body: 'x',
      connections: 2,
      seconds: 0.1,
    });
  const good = await load('/good');
  expect(good.requests).toBeGreaterThan(0);
  expect(good.errors).toBe(0);
  const bad = await load('/bad');
  expect(bad.errors).toBe(bad.requests);
  server.close();
});
