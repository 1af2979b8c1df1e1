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

  test('a list steps over what is inside its folders', async () => {
    const memory = createMemoryPhysical();
    let seen = 0;
    const { storage } = open({
      ...memory,
      *keys(prefix, from) {
        for (const key of memory.keys(prefix, from)) {
          seen++;
          yield key;
        }
      },
    });
    const filling = storage.begin(false);
    for (let i = 0; i < 3000; i++) filling.put(`kv/${i % 3}/${i}`, i);
    filling.put('kv/leaf', 1);
    filling.put('kv/leaf/below', 1);
    filling.put('other', 1);
    await filling.commit();
    const transaction = storage.begin(false);
    transaction.delete('kv/leaf');
    transaction.put('kv/new/a', 1);
    expect(transaction.list('kv/')).toEqual(['0/', '1/', '2/', 'leaf/', 'new/']);
    expect(seen).toBeLessThan(10);
  });

  test('a folder whose entries are all deleted in the transaction is not listed', async () => {
    const { storage } = open();
    const filling = storage.begin(false);
    for (const path of ['a/x/1', 'a/x/2', 'a/y']) filling.put(path, 1);
    await filling.commit();
    const transaction = storage.begin(false);
    for (const path of ['a/x/1', 'a/x/2']) transaction.delete(path);
    expect(transaction.list('a/')).toEqual(['y']);
    expect(transaction.all('a/')).toEqual(['y']);
    expect(storage.begin(false).list('a/')).toEqual(['x/', 'y']);
  });

  test('what is remembered is bound by its size', async () => {
    const memory = createMemoryPhysical();
    let reads = 0;
    const { storage } = open({
      ...memory,
      get: (key) => {
        reads++;
        return memory.get(key);
      },
    });
    const filling = storage.begin(false);
    for (let i = 0; i < 20; i++) filling.put(`big/${i}`, 'x'.repeat(1024 * 1024));
    await filling.commit();
    for (let i = 19; i >= 16; i--) storage.begin(false).get(`big/${i}`);
    expect(reads).toBe(0);
    for (let i = 15; i >= 0; i--) storage.begin(false).get(`big/${i}`);
    expect(reads).toBeGreaterThanOrEqual(20 - 12);
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
