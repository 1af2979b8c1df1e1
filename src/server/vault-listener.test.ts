import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { call, openTestCore } from '../vault/test-core.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';

let core: VaultCore;
let listener: VaultListener;
beforeAll(async () => {
  core = await openTestCore();
  listener = await listenVault({ core, clock: systemClock, log: silentLogger, host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await listener.close();
  await core.close();
});

const ask = (method: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${listener.address}/v1/sys/health`, { method, headers });

test('web pages: any may call until it is configured, then those that are named', async () => {
  const before = await ask('GET', { Origin: 'https://b.example' });
  expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  await call(core, 'update', 'sys/config/cors', { allowed_origins: 'https://a.example' });
  const refused = await ask('GET', { Origin: 'https://b.example' });
  expect([refused.status, await refused.json()]).toEqual([403, { errors: ['origin not allowed'] }]);
  const allowed = await ask('GET', { Origin: 'https://a.example' });
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'https://a.example',
  ]);
  const preflight = await ask('OPTIONS', {
    Origin: 'https://a.example',
    'Access-Control-Request-Method': 'PUT',
  });
  expect([preflight.status, preflight.headers.get('access-control-max-age')]).toEqual([204, '300']);
});

test('the old calls without a token are closed unless the listener opens them', async () => {
  for (const path of ['rekey/init', 'generate-root/attempt']) {
    const reply = await fetch(`${listener.address}/v1/sys/${path}`);
    expect([reply.status, await reply.json()]).toEqual([405, { errors: ['unsupported operation'] }]);
  }
});

test('HEAD says how the store is, without a body', async () => {
  const reply = await ask('HEAD', {});
  expect([reply.status, await reply.text()]).toEqual([200, '']);
});

test.each([
  [100, 413],
  [-1, 204],
])('a listener with a limit of %d bytes answers 1000 of them with %d', async (maxRequestBytes, status) => {
  const options = { core, clock: systemClock, log: silentLogger, host: '127.0.0.1', port: 0 };
  const limited = await listenVault({ ...options, maxRequestBytes });
  const body = JSON.stringify({ a: 'a'.repeat(1000) });
  const headers = { 'X-Vault-Token': 'root' };
  const reply = await fetch(`${limited.address}/v1/cubbyhole/x`, { method: 'PUT', body, headers });
  expect([reply.status, await reply.text()]).toEqual([
    status,
    status === 413 ? '{"errors":["http: request body too large"]}\n' : '',
  ]);
  await limited.close();
});
