import { describe, expect, test } from 'vitest';
import type { Logger } from '../../lib/log.ts';
import { call, openTestCore, TestClock, tokenOf } from '../test-core.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import { VaultCore } from './vault-core.ts';

describe('VaultCore', () => {
  test('a sealed store refuses everything and opens again with what it had', async () => {
    const core = await openTestCore();
    await call(core, 'update', 'cubbyhole/a', { k: 'v' });
    core.seal();
    expect(await call(core, 'read', 'cubbyhole/a')).toEqual({
      status: 503,
      body: { errors: ['Vault is sealed'] },
    });
    await core.close();
  });

  test('tokens end when their time has come, also while the store was closed', async () => {
    const clock = new TestClock();
    const core = await openTestCore({ clock });
    const token = tokenOf(
      await call(core, 'update', 'auth/token/create', { policies: ['default'], ttl: '60s' }),
    );
    expect((await call(core, 'read', 'auth/token/lookup-self', {}, token)).status).toBe(200);
    expect(core.services?.leases.size).toBe(1);
    clock.time += 61_000;
    expect((await call(core, 'read', 'auth/token/lookup-self', {}, token)).status).toBe(403);
    await expect.poll(() => core.services?.leases.size).toBe(0);
    await core.close();
  });

  test('no token stands in the store in clear', async () => {
    const physical = createMemoryPhysical();
    const core = await openTestCore({ physical });
    const token = tokenOf(
      await call(core, 'update', 'auth/token/create', { policies: ['default'], ttl: '60s' }),
    );
    expect(token).toMatch(/^hvs\.[0-9A-Za-z]{29}$/);
    const everything = [...physical.keys('')].flatMap((key) => [
      key,
      Buffer.from(physical.get(key) ?? []).toString('latin1'),
    ]);
    expect(everything.join('\n')).not.toContain(token.slice(4));
    await core.close();
  });

  test('two creations of one mount at once: one is made, one is told so', async () => {
    const core = await openTestCore();
    const replies = await Promise.all(
      [1, 2, 3].map(() => call(core, 'update', 'sys/mounts/one', { type: 'kv' })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 400, 400]);
    await core.close();
  });

  test('concurrent check-and-set writes: exactly one wins each version', async () => {
    const core = await openTestCore();
    await call(core, 'update', 'sys/mounts/kv2', { type: 'kv', options: { version: '2' } });
    const write = (): Promise<unknown> =>
      call(core, 'update', 'kv2/data/a', { data: { a: 1 }, options: { cas: 0 } }).then(
        ({ status }) => status,
      );
    const statuses = await Promise.all(Array.from({ length: 10 }, write));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    await core.close();
  });

  test('the reason of a 403 goes to the log, not to the caller', async () => {
    const lines: unknown[] = [];
    const log: Logger = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (message, fields) => lines.push({ message, ...fields }),
      named: () => log,
    };
    const clock = new TestClock();
    const core = await openTestCore({ log, clock });
    const token = tokenOf(
      await call(core, 'update', 'auth/token/create', { policies: ['default'], ttl: '60s' }),
    );
    clock.time += 60_000;
    const reply = await call(core, 'read', 'auth/token/lookup-self', {}, token);
    expect(reply).toEqual({ status: 403, body: { errors: ['permission denied'] } });
    expect(lines).toMatchObject([
      { message: 'permission denied', reason: 'token-expired', mount: 'auth/token/' },
    ]);
    expect(JSON.stringify(lines)).not.toContain(token);
    await core.close();
  });
});

describe('what must not bring the store down', () => {
  test('a path longer than a storage key is refused', async () => {
    const core = await openTestCore();
    const { status } = await call(core, 'update', `cubbyhole/${'x'.repeat(3000)}`, { k: 'v' });
    expect(status).toBe(400);
    expect(core.status().sealed).toBe(false);
    await core.close();
  });

  test('of two inits at once, one makes the store and one is refused', async () => {
    const core = new VaultCore({ physical: createMemoryPhysical(), catalogue: { secret: {}, auth: {} } });
    const results = await Promise.allSettled([1, 2].map(() => core.init({ shares: 1, threshold: 1 })));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await core.close();
  });

  test('a write under way when the store is sealed is not acknowledged', async () => {
    const core = await openTestCore();
    const services = core.services;
    const transaction = services?.storage.begin(true);
    core.seal();
    transaction?.put('a', 1);
    await expect(transaction?.commit()).rejects.toMatchObject({ code: 'sealed' });
  });
});
