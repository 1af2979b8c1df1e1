import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MeshrootError } from '../../lib/errors.ts';
import { openLmdbPhysical } from './physical-lmdb.ts';

describe('a damaged file of the lmdb store', () => {
  let folder = '';
  let whole: Buffer = Buffer.alloc(0);
  const file = (): string => join(folder, 'store.mdb');
  const entries = Array.from({ length: 300 }, (_, i) => ({
    key: `kv/${i}/${'x'.repeat(i % 60)}`,
    value: Buffer.alloc(i % 50 === 0 ? 9000 : 100, i),
  }));

  const added = entries.slice(0, 60).map(({ key, value }) => ({ key: `new/${key}`, value }));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'damaged-'));
    const store = openLmdbPhysical(folder);
    for (let from = 0; from < entries.length; from += 100)
      await store.commit(entries.slice(from, from + 100));
    await store.commit([{ key: 'gone', value: Buffer.alloc(60_000) }]);
    await store.commit([{ key: 'gone', value: undefined }]);
    for (const { key, value } of entries.slice(0, 40)) await store.commit([{ key, value }]);
    await store.close();
    whole = readFileSync(file());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /**
   * Opens a store of these bytes in a folder of its own (LMDB remembers a file that it has had): the code of the refusal,
   * which leaves every byte, or `whole` when nothing is lost.
   */
  async function outcome(bytes: Buffer): Promise<string> {
    const own = mkdtempSync(join(folder, 'store-'));
    const path = join(own, 'store.mdb');
    writeFileSync(path, bytes);
    let store: ReturnType<typeof openLmdbPhysical>;
    try {
      store = openLmdbPhysical(own);
    } catch (error) {
      if (!(error instanceof MeshrootError)) throw error;
      expect(error.message).toContain(path);
      expect(error.hint).toContain('restore a backup');
      expect(readFileSync(path).equals(bytes)).toBe(true);
      return error.code;
    }
    // Writes take the pages that are said to be free.
    await store.commit(added);
    await store.commit(added.map(({ key }) => ({ key, value: undefined })));
    const lost = entries.filter(({ key, value }) => !value.equals(store.get(key) ?? Buffer.alloc(0)));
    const count = [...store.keys('')].length;
    await store.close();
    rmSync(own, { recursive: true });
    return lost.length === 0 && count === entries.length ? 'whole' : 'lost';
  }

  /** Places in the two heads and in the pages of the free list. */
  function vitalBytes(): number[] {
    const root = Number(whole.readBigUInt64LE(88));
    const pages = [0, 1, root, Number(whole.readBigUInt64LE(4096 + 88)), Number(whole.readBigUInt64LE(136))];
    return pages.flatMap((page) => Array.from({ length: 168 }, (_, i) => page * 4096 + i));
  }

  test('a page that is in use is not free, whatever a list says', async () => {
    const head = whole.readBigUInt64LE(152) > whole.readBigUInt64LE(4096 + 152) ? 0 : 4096;
    const free = Number(whole.readBigUInt64LE(head + 88)) * 4096;
    const node = free + 24 + whole.readUInt16LE(free + 24);
    for (const [page, code] of [
      [whole.readBigUInt64LE(head + 136), 'store-corrupt'],
      [1n, 'store-corrupt'],
      [2n ** 40n, 'store-corrupt'],
      [0n, 'whole'],
    ] as const) {
      const changed = Buffer.from(whole);
      changed.writeBigUInt64LE(page, node + 8 + 8 + 8);
      expect(await outcome(changed)).toBe(code);
    }
  });

  test('a changed byte anywhere is refused at opening, or nothing needs it', async () => {
    const anywhere = fc.integer({ min: 0, max: whole.length - 1 });
    // Half of them where LMDB finds everything: its heads, and the tree of the free pages.
    const at = fc.oneof(anywhere, fc.constantFrom(...vitalBytes()));
    const seen = new Set<string>();
    const property = fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const changed = Buffer.from(whole);
      changed[place] = (changed[place] ?? 0) ^ change;
      const found = await outcome(changed);
      seen.add(found);
      expect(['whole', 'store-corrupt', 'store-truncated']).toContain(found);
    });
    await fc.assert(property, { numRuns: 40 }); // a failure prints its seed
    expect(seen).toContain('store-corrupt');
  });

  test('a tail that is cut off is refused at opening, or nothing needs it', async () => {
    const seen = new Set<string>();
    for (let size = whole.length; size > 0; size -= 20_000) seen.add(await outcome(whole.subarray(0, size)));
    expect([...seen].sort()).toEqual(['store-truncated', 'whole']);
  });

  test('garbage behind the end is no damage', async () => {
    expect(await outcome(Buffer.concat([whole, Buffer.alloc(10_000, 0xff)]))).toBe('whole');
  });

  test('the place of a changed entry is named, not what stands there', () => {
    const changed = Buffer.from(whole);
    const place = changed.indexOf(entries[7]?.key ?? '');
    changed[place + 60] = 0;
    writeFileSync(file(), changed);
    expect(() => openLmdbPhysical(folder)).toThrow(
      expect.objectContaining({
        code: 'store-corrupt',
        message: `${file()} is damaged: the entry "/kv/7/xxxxxxx" was changed`,
      }),
    );
  });
});
