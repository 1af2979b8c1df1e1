import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import { call, openTestCore, TestClock, testCatalogue } from '../test-core.ts';
import { defineBackend } from './backend.ts';
import { periodicLoop, periodicRound } from './periodic.ts';
import type { Services } from './services.ts';

async function openWith(periodic: (name: string) => void): Promise<Services> {
  const known = testCatalogue();
  const make = (type: string) => () =>
    defineBackend({
      type,
      routes: [],
      periodic: ({ store, mount }) => {
        periodic(mount.path);
        store.put('done', mount.path);
      },
    });
  const core = await openTestCore({
    catalogue: { ...known, secret: { ...known.secret, busy: make('busy') } },
  });
  for (const name of ['one', 'two']) await call(core, 'update', `sys/mounts/${name}`, { type: 'busy' });
  if (core.services === undefined) throw new Error('closed');
  return core.services;
}

const never = new AbortController().signal;

test('every mount does its work in its own part of the store, also behind one that fails', async () => {
  const services = await openWith((name) => {
    if (name === 'one/') throw new Error('broken');
  });
  const errors: unknown[] = [];
  const log = {
    ...silentLogger,
    error: (message: string, fields?: object) => errors.push({ message, ...fields }),
  };
  await periodicRound({ services, clock: new TestClock(), random: randomBytes, log }, never);
  const stored = ['one/', 'two/'].map((path) => {
    const uuid = services.router.get(path)?.entry.uuid;
    return services.storage.begin(false).get(`logical/${uuid}/done`);
  });
  expect(stored).toEqual([undefined, 'two/']);
  expect(errors).toEqual([
    { message: 'the periodic work of a mount failed', mount: 'one/', error: 'broken' },
  ]);
});

test('rounds come about once a minute, never in step, and stop with the store', async () => {
  const rounds: string[] = [];
  const services = await openWith((name) => rounds.push(name));
  const sleeps: number[] = [];
  const stop = new AbortController();
  const clock = {
    now: () => 0,
    sleep: async (ms: number) => {
      sleeps.push(ms);
      if (sleeps.length === 3) stop.abort();
    },
  };
  const rolled = [0, 255, 100];
  const random = (bytes: number): Buffer => Buffer.alloc(bytes, rolled.shift());
  await periodicLoop({ services, clock, random, log: silentLogger }, stop.signal);
  expect(rounds).toEqual(['one/', 'two/', 'one/', 'two/']);
  expect(new Set(sleeps).size).toBe(3);
  for (const ms of sleeps) expect(ms).toBeGreaterThanOrEqual(30_000);
  for (const ms of sleeps) expect(ms).toBeLessThan(90_000);
});
