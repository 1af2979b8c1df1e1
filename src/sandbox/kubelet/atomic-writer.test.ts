import { mkdtemp, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { MeshrootError } from '../../lib/errors.ts';
import { type Payload, writePayload } from './atomic-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volume-'));
});

const payload = (files: Record<string, string>): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]));

test('files lie behind ..data, also those in folders, with their modes', async () => {
  expect(await writePayload(folder, payload({ a: '1', 'd/b': '2' }), 0)).toBe(true);
  expect(await readlink(join(folder, 'a'))).toBe('..data/a');
  expect(await readFile(join(folder, 'd/b'), 'utf8')).toBe('2');
  expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o640);
  expect(await readlink(join(folder, '..data'))).toMatch(/^\.\.1970_01_01_00_00_00\.\d+$/);
});

test('a change swaps ..data once, removes what is gone, and no change writes nothing', async () => {
  await writePayload(folder, payload({ a: '1', b: '1' }), 0);
  const first = await readlink(join(folder, '..data'));
  expect(await writePayload(folder, payload({ a: '1', b: '1' }), 1)).toBe(false);
  expect(await readlink(join(folder, '..data'))).toBe(first);
  expect(await writePayload(folder, payload({ a: '2' }), 2)).toBe(true);
  expect((await readdir(folder)).filter((name) => !name.startsWith('..'))).toEqual(['a']);
  expect(await readdir(folder)).not.toContain(first);
});

test.each(['../x', '/x', 'a/../../x', '..data', ''])('the path "%s" is refused', async (path) => {
  await expect(writePayload(folder, payload({ [path]: '' }), 0)).rejects.toMatchObject({
    code: 'bad-volume-path',
    message: `"${path}" is not a path inside a volume`,
  });
});

test('no path writes outside the volume', async () => {
  const path = fc
    .array(fc.constantFrom('..', '.', 'a', '..data', '', 'b'), { maxLength: 4 })
    .map((p) => p.join('/'));
  await fc.assert(
    fc.asyncProperty(path, async (name) => {
      const parent = await mkdtemp(join(tmpdir(), 'volume-'));
      await writePayload(join(parent, 'v'), payload({ [name]: 'x' }), 0).catch((error) => {
        if (!(error instanceof MeshrootError)) expect(error.code).toMatch(/^E/);
      });
      expect((await readdir(parent)).filter((entry) => entry !== 'v')).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
