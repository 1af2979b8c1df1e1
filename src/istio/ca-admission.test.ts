import { describe, expect, test } from 'vitest';
import { Admission } from './ca-admission.ts';

const clockAt = () => {
  const time = { now: 0 };
  return { time, clock: { now: () => time.now, sleep: async () => {} } };
};
function deferred() {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
const refusal = {
  code: 'overloaded',
  grpcCode: 8,
  message: 'too many certificate requests, try again later',
};

describe('whose turn it is', () => {
  test('a caller with a hundred waiting requests does not stand before one with one', async () => {
    const admission = new Admission({ clock: clockAt().clock, parallel: 1, perCaller: 256 });
    const order: string[] = [];
    const gate = deferred();
    const first = admission.run('greedy', () => gate.promise);
    const greedy = Array.from({ length: 100 }, () =>
      admission.run('greedy', async () => order.push('greedy')),
    );
    const honest = admission.run('honest', async () => order.push('honest'));
    expect(admission.depth).toBe(101);
    gate.resolve();
    await Promise.all([first, honest, ...greedy]);
    expect(order.indexOf('honest')).toBeLessThanOrEqual(1);
    expect(admission.depth).toBe(0);
  });

  test('more under way than one caller may have are refused with code 8', async () => {
    const admission = new Admission({ clock: clockAt().clock, perCaller: 2 });
    const gate = deferred();
    const two = [1, 2].map(() => admission.run('a', () => gate.promise));
    await expect(admission.run('a', async () => 1)).rejects.toMatchObject(refusal);
    expect(await admission.run('b', async () => 1)).toBe(1);
    gate.resolve();
    await Promise.all(two);
    expect(await admission.run('a', async () => 2)).toBe(2);
  });

  test('one that waited too long is told to come back, and what failed gives its place free', async () => {
    const { time, clock } = clockAt();
    const admission = new Admission({ clock, parallel: 1, patience: 5000 });
    const gate = deferred();
    const first = admission.run('a', () => gate.promise);
    const late = admission.run('b', async () => 1);
    time.now = 5001;
    gate.reject(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await expect(late).rejects.toMatchObject(refusal);
    expect(await admission.run('b', async () => 3)).toBe(3);
  });
});

test('what a call waited for before its turn counts as waiting', async () => {
  const admission = new Admission({ clock: { now: () => 10_000, sleep: async () => {} }, parallel: 1 });
  let free = () => {};
  const busy = new Promise<void>((resolve) => {
    free = resolve;
  });
  const first = admission.run('a', () => busy);
  const late = expect(admission.run('b', async () => {}, 4000)).rejects.toMatchObject({ code: 'overloaded' });
  const soon = admission.run('c', async () => 'served', 9000);
  free();
  await Promise.all([first, late, expect(soon).resolves.toBe('served')]);
});

describe('rates', () => {
  test('a caller has a period’s worth, then waits for more, and others are not touched', async () => {
    const { time, clock } = clockAt();
    const admission = new Admission({ clock, callerRate: { count: 2, period: 60_000 } });
    const ask = (who: string) => admission.run(who, async () => 'done');
    await ask('a');
    await ask('a');
    await expect(ask('a')).rejects.toMatchObject({ ...refusal, reason: 'a asks more often than it may' });
    expect(await ask('b')).toBe('done');
    time.now = 30_000;
    expect(await ask('a')).toBe('done');
    await expect(ask('a')).rejects.toMatchObject(refusal);
  });

  test('the rate of all counts every caller', async () => {
    const { time, clock } = clockAt();
    const admission = new Admission({ clock, rate: { count: 2, period: 1000 } });
    await admission.run('a', async () => 1);
    await admission.run('b', async () => 1);
    await expect(admission.run('c', async () => 1)).rejects.toMatchObject(refusal);
    time.now = 500;
    expect(await admission.run('c', async () => 1)).toBe(1);
  });
});
