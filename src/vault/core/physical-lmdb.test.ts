import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdbPhysical } from './physical-lmdb.ts';

describe('the lmdb store', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lmdb-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps what was committed, lists in order, deletes', async () => {
    const first = openLmdbPhysical(folder);
    await first.commit([
      { key: 'b/2', value: Buffer.from('two') },
      { key: 'b/1', value: Buffer.from('one') },
      { key: 'c', value: Buffer.from('three') },
    ]);
    await first.commit([{ key: 'c', value: undefined }]);
    await first.close();
    const second = openLmdbPhysical(folder);
    expect([...second.keys('b/')]).toEqual(['b/1', 'b/2']);
    expect(String(Buffer.from(second.get('b/1') ?? []))).toBe('one');
    expect(second.get('c')).toBeUndefined();
    await second.close();
  });

  test('refuses who still reads or writes when it closes', async () => {
    const store = openLmdbPhysical(folder);
    await store.commit([{ key: 'a', value: Buffer.from('one') }]);
    const closed = store.close();
    const code = expect.objectContaining({ code: 'sealed' });
    expect(() => store.get('a')).toThrow(code);
    expect(() => store.keys('')).toThrow(code);
    await expect(store.commit([{ key: 'b', value: Buffer.from('two') }])).rejects.toThrow(code);
    await closed;
    const again = openLmdbPhysical(folder);
    expect([...again.keys('')]).toEqual(['a']);
    await again.close();
  });

  test('refuses who still reads a snapshot when it closes', async () => {
    for (let i = 0; i < 20; i++) {
      const store = openLmdbPhysical(join(folder, String(i)));
      await store.commit(['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from(key) })));
      const reading = store.snapshot().entries()[Symbol.iterator]();
      expect(reading.next().value).toMatchObject({ key: 'a' });
      await store.close();
      expect(() => reading.next()).toThrow(expect.objectContaining({ code: 'sealed' }));
    }
  });

  test('its files are for the owner alone', async () => {
    const store = openLmdbPhysical(join(folder, 'new'));
    for (const name of readdirSync(join(folder, 'new'))) {
      expect(statSync(join(folder, 'new', name)).mode & 0o077).toBe(0);
    }
    expect(statSync(join(folder, 'new')).mode & 0o077).toBe(0);
    await store.close();
  });

  test('a second server on the same folder is refused while the first lives', async () => {
    const first = openLmdbPhysical(folder);
    expect(() => openLmdbPhysical(folder)).toThrow(
      expect.objectContaining({
        code: 'store-in-use',
        message: `${folder} is in use by process ${process.pid}`,
      }),
    );
    await first.close();
    await openLmdbPhysical(folder).close();
  });

  test('a folder of something else is left alone', () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    expect(() => openLmdbPhysical(folder)).toThrow(expect.objectContaining({ code: 'store-foreign' }));
    expect(readdirSync(folder)).toEqual(['notes.txt']);
  });

  test('a store of another version is refused and not changed', async () => {
    const other = open<Uint8Array, string>({ path: join(folder, 'store.mdb'), encoding: 'binary' });
    await other.put('format', Buffer.from('meshroot-store 99'));
    await other.close();
    expect(() => openLmdbPhysical(folder)).toThrow(
      expect.objectContaining({
        code: 'store-version',
        message: expect.stringContaining('meshroot-store 99'),
      }),
    );
  });
});
