import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Barrier } from './barrier.ts';
import type { Physical, PhysicalChange } from './physical.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import { Storage } from './storage.ts';

const barrier = (): Barrier => new Barrier([{ term: 1, key: randomBytes(32), installed: 0 }], randomBytes);

function open(physical: Physical = createMemoryPhysical()): { storage: Storage; failures: unknown[] } {
  const failures: unknown[] = [];
  return { storage: new Storage(physical, barrier(), (error) => failures.push(error)), failures };
}

describe('Storage', () => {
  test('a transaction sees its own writes, others only what is committed', async () => {
    const { storage } = open();
    const one = storage.begin(true);
    one.put('a/x', { n: 1 });
    expect(one.get('a/x')).toEqual({ n: 1 });
    expect(storage.begin(false).get('a/x')).toBeUndefined();
    await one.commit();
    expect(storage.begin(false).get('a/x')).toEqual({ n: 1 });
  });

  test('of two that read the same, the second to commit has to run again', async () => {
    const { storage } = open();
    const [one, two] = [storage.begin(true), storage.begin(true)];
    for (const transaction of [one, two]) {
      transaction.put('count', Number(transaction.get('count') ?? 0) + 1);
    }
    await one.commit();
    expect(two.commit()).toBeUndefined();
    expect(storage.begin(false).get('count')).toBe(1);
  });

  test('what is committed is seen at once, also in lists, before the disk has it', async () => {
    let finish = (): void => {};
    const slow: Physical = {
      ...createMemoryPhysical(),
      commit: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    };
    const { storage } = open(slow);
    const one = storage.begin(true);
    one.put('a/b/c', 1);
    one.put('a/d', 2);
    const committed = one.commit();
    expect(storage.begin(false).list('a/')).toEqual(['b/', 'd']);
    finish();
    await committed;
  });

  test('the physical store sees no clear text', async () => {
    const seen: PhysicalChange[] = [];
    const memory = createMemoryPhysical();
    const { storage } = open({
      ...memory,
      commit: (changes) => {
        seen.push(...changes);
        return memory.commit(changes);
      },
    });
    const one = storage.begin(true);
    one.put('a', { secret: 'hush-hush' });
    await one.commit();
    expect(seen).toHaveLength(1);
    expect(Buffer.from(seen[0]?.value ?? []).includes('hush')).toBe(false);
  });

  test('a failing disk is reported and the write is not acknowledged', async () => {
    const { storage, failures } = open({
      ...createMemoryPhysical(),
      commit: () => Promise.reject(new Error('disk full')),
    });
    const one = storage.begin(true);
    one.put('a', 1);
    await expect(one.commit()).rejects.toThrow('disk full');
    expect(failures).toHaveLength(1);
  });
});
