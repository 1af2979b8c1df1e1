import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { call, openTestCore, openTestStore, TestClock, testCatalogue, tokenOf } from '../test-core.ts';
import { defineBackend, type Hooks } from './backend.ts';
import { Barrier } from './barrier.ts';
import { expireDue } from './expire.ts';
import type { Lease } from './lease.ts';
import { LeaseTable } from './leases.ts';
import type { Physical } from './physical.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import type { Catalogue } from './services.ts';
import { Storage } from './storage.ts';
import type { VaultCore } from './vault-core.ts';

const now = 1_800_000_000_000;

/** Counts what is asked of the disk: the measure of what an operation costs. */
function counted(): { physical: Physical; reads: () => number } {
  let reads = 0;
  const memory = createMemoryPhysical();
  const physical: Physical = {
    ...memory,
    get: (key) => {
      reads++;
      return memory.get(key);
    },
    *keys(prefix, from) {
      for (const key of memory.keys(prefix, from)) {
        reads++;
        yield key;
      }
    },
  };
  const taken = (): number => {
    const before = reads;
    reads = 0;
    return before;
  };
  return { physical, reads: taken };
}

function leaseTable(physical: Physical): { table: LeaseTable; storage: Storage } {
  const barrier = new Barrier([{ term: 1, key: randomBytes(32), installed: 0 }], randomBytes);
  const storage = new Storage(physical, barrier, () => {});
  return { storage, table: new LeaseTable({ storage, now: () => now, revokeSecret: () => {} }) };
}

const lease = (i: number): Lease => ({
  id: `pki/issue/r${i % 7}/${i}`,
  path: `pki/issue/r${i % 7}`,
  tokenKey: `token-${i % 3}`,
  isToken: false,
  issued: now,
  expires: now + i,
  renewable: false,
});

/** What making, renewing, finding due, and ending one lease asks of the disk among `count` others. */
async function costAmong(count: number): Promise<number[]> {
  const { physical, reads } = counted();
  const { table, storage } = leaseTable(physical);
  const filling = storage.begin(false);
  for (let i = 1; i <= count; i++) table.put(filling, lease(i));
  await filling.commit();
  const one = { ...lease(count + 1), tokenKey: 'alone' };
  const steps = [
    () => table.put(storage.begin(false), one),
    () => table.due(now - 1, 200),
    () => table.due(now + 10, 5),
    () => table.ofToken(storage.begin(false), 'alone'),
    () => table.delete(storage.begin(false), one.id),
    () => table.list('pki/issue/'),
  ];
  reads();
  return steps.map((step) => {
    step();
    return reads();
  });
}

describe('leases', () => {
  test('what one costs does not depend on how many there are', async () => {
    expect(await costAmong(2000)).toEqual(await costAmong(100));
  });

  test('are found by id, by token, by beginning and by time', async () => {
    const { table, storage } = leaseTable(createMemoryPhysical());
    const transaction = storage.begin(false);
    for (const i of [5, 3, 1]) table.put(transaction, lease(i));
    table.put(transaction, { ...lease(1), expires: now + 9 });
    table.delete(transaction, lease(5).id);
    await transaction.commit();
    expect(table.size).toBe(2);
    expect(table.get(lease(5).id)).toBeUndefined();
    expect(table.ofToken(storage.begin(false), 'token-1').map(({ id }) => id)).toEqual([lease(1).id]);
    expect(table.ids('pki/issue/r3')).toEqual([lease(3).id]);
    expect(table.list('pki/issue/')).toEqual(['r1/', 'r3/']);
    expect(table.due(now + 8, 10)).toMatchObject([{ id: lease(3).id }]);
    expect(table.due(now + 9, 10).map(({ id }) => id)).toEqual([lease(3).id, lease(1).id]);
  });

  test('the count goes along with what is made and ended after it was asked for', async () => {
    const { table, storage } = leaseTable(createMemoryPhysical());
    expect(table.size).toBe(0);
    const transaction = storage.begin(false);
    for (const i of [1, 2, 2]) table.put(transaction, lease(i));
    table.delete(transaction, lease(1).id);
    await transaction.commit();
    expect(table.size).toBe(1);
  });
});

/** Stands still until told, and lets no loop turn. */
function stoppedClock(): TestClock {
  return Object.assign(new TestClock(), {
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
  });
}

const lookupSelf = (core: VaultCore, token: string): Promise<number> =>
  call(core, 'read', 'auth/token/lookup-self', {}, token).then(({ status }) => status);
const newToken = async (core: VaultCore, ttl: string, parent = 'root'): Promise<string> =>
  tokenOf(await call(core, 'update', 'auth/token/create', { policies: ['root'], ttl }, parent));

describe('time', () => {
  test('what ended while the store was closed is dead when it opens, children with it, before any loop turned', async () => {
    const clock = stoppedClock();
    const { core, restart } = await openTestStore({ clock });
    const parent = await newToken(core, '60s');
    const child = await newToken(core, '1h', parent);
    await core.close();
    clock.time += 61_000;
    const opened = await restart();
    expect(await lookupSelf(opened, parent)).toBe(403);
    await expect.poll(() => lookupSelf(opened, child)).toBe(403);
    expect(opened.services?.leases.size).toBe(0);
    await opened.close();
  });

  test('a clock that goes back does not give a token more time', async () => {
    const clock = stoppedClock();
    const core = await openTestCore({ clock });
    const token = await newToken(core, '60s');
    clock.time += 59_000;
    expect(await lookupSelf(core, token)).toBe(200);
    clock.time -= 3_600_000;
    expect(await lookupSelf(core, token)).toBe(200);
    clock.time += 2000;
    expect(await lookupSelf(core, token)).toBe(403);
    await core.close();
  });

  test('a clock that is set back while the store is closed revives nothing', async () => {
    const clock = new TestClock();
    const { core, restart } = await openTestStore({ clock });
    const token = await newToken(core, '60s');
    const kept = core.services;
    clock.time += 50_000;
    await expect.poll(() => kept?.storage.begin(false).get('sys/expire/clock')).toBe(clock.time);
    await core.close();
    clock.time -= 3_600_000;
    const opened = await restart();
    expect(await lookupSelf(opened, token)).toBe(200);
    clock.time += 11_000;
    expect(await lookupSelf(opened, token)).toBe(403);
    await opened.close();
  });
});

/** A store with an engine at `leased/` whose secrets have a life of a minute. */
async function openLeasing(clock: Clock, hooks: Hooks): Promise<VaultCore> {
  const backend = defineBackend({
    ...hooks,
    type: 'leased',
    routes: [
      {
        path: 'new/:name',
        operations: {
          update: ({ request, services, transaction, fields, auth }) => {
            const issued = services.leases.now();
            services.leases.put(transaction, {
              id: `${request.path}/1`,
              path: request.path,
              tokenKey: auth?.token.key ?? '',
              isToken: false,
              issued,
              expires: issued + 60_000,
              renewable: true,
              secret: { name: String(fields.name) },
            });
            return undefined;
          },
        },
      },
      { path: 'ended', operations: { read: ({ store }) => ({ data: { ended: store.list('ended/') } }) } },
    ],
  });
  const known = testCatalogue();
  const catalogue: Catalogue = { ...known, secret: { ...known.secret, leased: () => backend } };
  const core = await openTestCore({ clock, catalogue });
  await call(core, 'update', 'sys/mounts/leased', { type: 'leased' });
  await call(core, 'update', 'leased/new/a');
  return core;
}

const endings: Hooks = {
  revokeLease: ({ store }, { secret }) => {
    if (secret?.name === 'stuck') throw new Error('cannot be ended');
    store.put(`ended/${secret?.name}`, true);
  },
};
const endedIn = async (core: VaultCore): Promise<unknown> => (await call(core, 'read', 'leased/ended')).body;

describe('leased secrets', () => {
  test('are ended by their engine when their time has come; one that cannot be ended stops no other', async () => {
    const clock = stoppedClock();
    const core = await openLeasing(clock, endings);
    await call(core, 'update', 'leased/new/stuck');
    await call(core, 'update', 'leased/new/z');
    clock.time += 60_000;
    const { services } = core;
    if (services === undefined) throw new Error('closed');
    expect(await expireDue(services, silentLogger)).toBe(3);
    expect(await endedIn(core)).toMatchObject({ data: { ended: ['a', 'z'] } });
    expect(services.leases.ids('leased/')).toEqual(['leased/new/stuck/1']);
    expect(await expireDue(services, silentLogger)).toBe(0);
    clock.time += 60_000;
    expect(await expireDue(services, silentLogger)).toBe(1);
    await core.close();
  });

  test('one that cannot be ended is let go by force alone', async () => {
    const core = await openLeasing(stoppedClock(), endings);
    await call(core, 'update', 'leased/new/stuck');
    const lease_id = 'leased/new/stuck/1';
    expect((await call(core, 'update', 'sys/leases/revoke', { lease_id })).status).toBe(500);
    expect(core.services?.leases.get(lease_id)).toBeDefined();
    expect((await call(core, 'update', 'sys/leases/revoke-force/leased/new/stuck')).status).toBe(204);
    expect(core.services?.leases.get(lease_id)).toBeUndefined();
    await core.close();
  });

  test('are renewed as their engine allows', async () => {
    const clock = stoppedClock();
    const core = await openLeasing(clock, { renewLease: () => ({ ttl: 120, maxTtl: 300 }) });
    const renew = (increment: number) =>
      call(core, 'update', 'sys/leases/renew', { lease_id: 'leased/new/a/1', increment });
    clock.time += 30_000;
    const usual = await renew(0);
    expect(usual.body).toMatchObject({ lease_id: 'leased/new/a/1', lease_duration: 120, renewable: true });
    expect((await renew(1000)).body).toMatchObject({ lease_duration: 270 });
    clock.time += 270_000;
    expect((await renew(0)).body).toEqual({ errors: ['lease expired'] });
    await core.close();
  });
});
