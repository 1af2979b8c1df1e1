import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJsonFetcher } from './fetch-json.ts';
import { withinDeadline } from './request-deadline.ts';

let silent: Server;
let url: string;
beforeEach(async () => {
  silent = createServer(() => {}); // answers nobody
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
});
afterEach(() => {
  silent.closeAllConnections();
  silent.close();
});

test('what a call asks of others ends with the call', async () => {
  const fetchJson = createJsonFetcher();
  await expect(withinDeadline(20, () => fetchJson({ url, caPem: '' }))).rejects.toMatchObject({
    code: 'ABORT_ERR',
  });
});
