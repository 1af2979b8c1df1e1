import { describe, expect, test } from 'vitest';
import { call, openTestCore, TestClock } from '../test-core.ts';
import type { Reply } from './request.ts';
import type { VaultCore } from './vault-core.ts';

const limit = (core: VaultCore, name: string, quota: Readonly<Record<string, unknown>>): Promise<Reply> =>
  call(core, 'update', `sys/quotas/rate-limit/${name}`, quota);

const statuses = async (core: VaultCore, path: string, times: number): Promise<number[]> => {
  const found: number[] = [];
  for (let i = 0; i < times; i++) found.push((await call(core, 'read', path)).status);
  return found;
};

describe('rate limits', () => {
  test('count within an interval and begin anew after it', async () => {
    const clock = new TestClock();
    const core = await openTestCore({ clock });
    await limit(core, 'few', { path: 'cubbyhole', rate: 2, interval: '10s' });
    expect(await statuses(core, 'cubbyhole/a', 3)).toEqual([404, 404, 429]);
    clock.time += 10_000;
    expect(await statuses(core, 'cubbyhole/a', 1)).toEqual([404]);
    await core.close();
  });

  test('block for as long as they say', async () => {
    const clock = new TestClock();
    const core = await openTestCore({ clock });
    await limit(core, 'few', { path: 'cubbyhole', rate: 1, interval: '1s', block_interval: '60s' });
    expect(await statuses(core, 'cubbyhole/a', 2)).toEqual([404, 429]);
    clock.time += 30_000;
    expect(await statuses(core, 'cubbyhole/a', 1)).toEqual([429]);
    clock.time += 30_000;
    expect(await statuses(core, 'cubbyhole/a', 1)).toEqual([404]);
    await core.close();
  });

  test('of a mount count in the place of those of everything, and exempt paths never', async () => {
    const core = await openTestCore({ clock: new TestClock() });
    await limit(core, 'more', { path: 'cubbyhole', rate: 3, interval: '1h' });
    await limit(core, 'all', { rate: 1, interval: '1h' });
    expect(await statuses(core, 'cubbyhole/a', 4)).toEqual([404, 404, 404, 429]);
    expect(await statuses(core, 'sys/mounts', 2)).toEqual([200, 429]);
    expect(await statuses(core, 'sys/generate-root/attempt', 2)).toEqual([200, 200]);
    await core.close();
  });

  test('show themselves in headers when the configuration says so', async () => {
    const core = await openTestCore({ clock: new TestClock() });
    await call(core, 'update', 'sys/quotas/config', { enable_rate_limit_response_headers: true });
    await limit(core, 'few', { path: 'cubbyhole', rate: 1, interval: '7s' });
    const counted = { 'X-Ratelimit-Limit': '1', 'X-Ratelimit-Remaining': '0', 'X-Ratelimit-Reset': '7' };
    expect((await call(core, 'read', 'cubbyhole/a')).headers).toEqual(counted);
    expect(await call(core, 'read', 'cubbyhole/a')).toMatchObject({
      status: 429,
      headers: { ...counted, 'Retry-After': '7' },
      body: { errors: ['request path "cubbyhole/a": rate limit quota exceeded'] },
    });
    await core.close();
  });

  test('refuse a role where no login names one', async () => {
    const core = await openTestCore();
    await call(core, 'update', 'sys/auth/up', { type: 'userpass' });
    expect(await limit(core, 'r', { path: 'auth/up', role: 'x', rate: 1 })).toMatchObject({
      status: 400,
      body: { errors: ['Mount path "auth/up/" does not support use with role-based quotas'] },
    });
    await core.close();
  });
});
