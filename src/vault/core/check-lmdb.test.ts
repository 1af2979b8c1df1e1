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

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'damaged-'));
    const store = openLmdbPhysical(folder);
    for (let from = 0; from < entries.length; from += 100)
      await store.commit(entries.slice(from, from + 100));
    await store.commit([{ key: 'gone', value: Buffer.alloc(60_000) }]);
    await store.commit([{ key: 'gone', value: undefined }]);
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
    const lost = entries.filter(({ key, value }) => !value.equals(store.get(key) ?? Buffer.alloc(0)));
    const count = [...store.keys('')].length;
    await store.close();
    rmSync(own, { recursive: true });
    return lost.length === 0 && count === entries.length ? 'whole' : 'lost';
  }

  test('a changed byte anywhere is refused at opening, or nothing needs it', async () => {
    const at = fc.integer({ min: 0, max: whole.length - 1 });
    const seen = new Set<string>();
    const property = fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const changed = Buffer.from(whole);
      changed[place] = (changed[place] ?? 0) ^ change;
      const found = await outcome(changed);
      seen.add(found);
      expect(['whole', 'store-corrupt', 'store-truncated']).toContain(found);
    });
    await fc.assert(property, { numRuns: 80, seed: 7 }); // lists of free pages are not checked: LMDB may end the process on them
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
