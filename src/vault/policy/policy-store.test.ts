import { expect, test } from 'vitest';
import { call, openTestCore, TestClock, tokenOf } from '../test-core.ts';

test('a policy grants nothing from its time on, without anybody touching it', async () => {
  const clock = new TestClock();
  const core = await openTestCore({ clock });
  const policy = 'path "sys/mounts" { capabilities = ["read"] }';
  await call(core, 'update', 'sys/policies/acl/short', { policy, ttl: 60 });
  const token = tokenOf(await call(core, 'update', 'auth/token/create', { policies: ['short'] }));
  const status = async (): Promise<number> => (await call(core, 'read', 'sys/mounts', {}, token)).status;
  expect(await status()).toBe(200);
  clock.time += 59_000;
  expect(await status()).toBe(200);
  clock.time += 1000;
  expect(await status()).toBe(403);
  expect((await call(core, 'read', 'sys/policies/acl/short')).status).toBe(404);
  expect(JSON.stringify((await call(core, 'list', 'sys/policies/acl/')).body)).not.toContain('short');
  await core.close();
});
