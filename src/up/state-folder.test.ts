import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeStateFolder } from './state-folder.ts';

let base = '';
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(() => rm(base, { recursive: true, force: true }));

describe('the folder of up', () => {
  test('a new one is made, taken, and let go', async () => {
    const folder = await takeStateFolder(join(base, 'new'));
    expect(folder.used).toBe(false);
    await folder.markReady();
    await folder.release({ remove: false });
    expect(await readdir(folder.path)).toEqual(['meshroot.json']);
    expect((await takeStateFolder(folder.path)).used).toBe(true);
  });

  test('one that another living process holds is refused, named with that process', async () => {
    await mkdir(join(base, 'd'));
    await writeFile(join(base, 'd', 'up.lock'), `${process.ppid}\n`);
    await expect(takeStateFolder(join(base, 'd'))).rejects.toMatchObject({
      code: 'dir-in-use',
      message: `${join(base, 'd')} is in use by process ${process.ppid}`,
    });
  });

  test('the lock of a process that is gone is taken over', async () => {
    await mkdir(join(base, 'd'));
    await writeFile(join(base, 'd', 'up.lock'), '999999999\n');
    expect((await takeStateFolder(join(base, 'd'))).used).toBe(false);
  });

  test('one that was left half-made is refused untouched, with the way out', async () => {
    await mkdir(join(base, 'd', 'store'), { recursive: true });
    await expect(takeStateFolder(join(base, 'd'))).rejects.toMatchObject({
      code: 'dir-half-made',
      hint: expect.stringContaining(`rm -r ${join(base, 'd')}`),
    });
    expect(await readdir(join(base, 'd'))).toEqual(['store']);
  });

  test("one with somebody else's files is refused untouched", async () => {
    await writeFile(join(base, 'thesis.txt'), 'mine');
    await expect(takeStateFolder(base)).rejects.toMatchObject({ code: 'dir-not-ours' });
    expect(await readdir(base)).toEqual(['thesis.txt']);
  });

  test('one of another layout is refused', async () => {
    await writeFile(join(base, 'meshroot.json'), '{"layout": 99}');
    await expect(takeStateFolder(base)).rejects.toMatchObject({ code: 'dir-of-other-version' });
  });

  test('removal takes everything away', async () => {
    const folder = await takeStateFolder(join(base, 'gone'));
    await writeFile(folder.file('x'), '');
    await folder.release({ remove: true });
    expect(await readdir(base)).toEqual([]);
  });
});
