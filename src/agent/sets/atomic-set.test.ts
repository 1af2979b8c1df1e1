import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { AtomicSet, type SetFile, statusFile } from './atomic-set.ts';
import type { SetVerifier } from './verifier.ts';

const names = ['ca-key.pem', 'ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'];
const refusing = 'bad';

/** Accepts sets whose files all say the same. */
const verifier: SetVerifier = {
  name: 'same',
  files: names,
  verify: async (files) => {
    const texts = [...files.values()].map(String);
    const ok = texts.every((t) => t === texts[0] && t !== refusing);
    return { refusals: ok ? [] : ['they differ'], facts: { serial: texts[0]?.slice(0, 8) ?? '' } };
  },
};

const filesOf = (text: string): Map<string, SetFile> =>
  new Map(names.map((name) => [name, { data: Buffer.from(text), mode: 0o640 }]));

describe('a set of files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'set-')), 'secrets');
  });
  afterEach(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });
  const read = async (): Promise<string[]> =>
    Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));

  test('is swapped in whole, as links into ..data, readable by owner and group', async () => {
    const set = new AtomicSet(folder, verifier, systemClock);
    expect(await set.deliver(filesOf('one'))).toEqual({ outcome: 'delivered' });
    expect(await read()).toEqual(['one', 'one', 'one', 'one']);
    expect(await readlink(join(folder, 'ca-key.pem'))).toBe('..data/ca-key.pem');
    expect((await stat(join(folder, 'ca-key.pem'))).mode & 0o777).toBe(0o640);
    expect(await set.deliver(filesOf('one'))).toEqual({ outcome: 'unchanged' });
  });

  test('is delivered anew when only the mode that is asked for changed, and belongs to whom it should', async () => {
    const set = new AtomicSet(folder, verifier, systemClock);
    await set.deliver(filesOf('one'));
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const wanted = new Map(
      [...filesOf('one')].map(([name, file]) => [name, { ...file, mode: 0o600, owner }]),
    );
    expect(await set.deliver(wanted)).toEqual({ outcome: 'delivered' });
    const { mode, uid, gid } = await stat(join(folder, 'ca-key.pem'));
    expect([mode & 0o777, uid, gid]).toEqual([0o600, owner.uid, owner.gid]);
    expect(await set.deliver(wanted)).toEqual({ outcome: 'unchanged' });
  });

  test('leaves no former set and nothing half-staged behind', async () => {
    const set = new AtomicSet(folder, verifier, systemClock);
    await mkdir(join(folder, '..2026_01_01_crashed'), { recursive: true });
    await set.deliver(filesOf('one'));
    await set.deliver(filesOf('two'));
    const staged = (await readdir(folder)).filter((n) => n.startsWith('..'));
    expect(staged.sort()).toEqual(['..data', await readlink(join(folder, '..data'))].sort());
    expect(await read()).toEqual(['two', 'two', 'two', 'two']);
  });

  test('that is refused leaves the last good one and says why beside it', async () => {
    const set = new AtomicSet(folder, verifier, systemClock);
    await set.deliver(filesOf('one'));
    expect(await set.deliver(filesOf(refusing))).toEqual({ outcome: 'refused', refusals: ['they differ'] });
    expect(await read()).toEqual(['one', 'one', 'one', 'one']);
    const status = JSON.parse(await readFile(join(folder, statusFile), 'utf8'));
    expect(status).toEqual({
      set: 'same',
      state: 'refused',
      serial: 'one',
      refused: { reasons: ['they differ'], serial: refusing },
    });
  });

  test('takes the place of plain files that another agent wrote', async () => {
    await mkdir(folder, { recursive: true });
    for (const name of names) await writeFile(join(folder, name), 'one');
    const set = new AtomicSet(folder, verifier, systemClock);
    expect(await set.deliver(filesOf('one'))).toEqual({ outcome: 'delivered' });
    expect(await readlink(join(folder, 'root-cert.pem'))).toBe('..data/root-cert.pem');
  });

  test('is never seen half-changed by a reader that resolves ..data once', async () => {
    const set = new AtomicSet(folder, verifier, systemClock);
    await set.deliver(filesOf('start'));
    let done = false;
    let reads = 0;
    let whole = 0;
    const reader = async (): Promise<void> => {
      while (!done) {
        const target = join(folder, await readlink(join(folder, '..data')));
        const texts = await Promise.all(
          names.map((n) => readFile(join(target, n), 'utf8').catch(() => 'gone')),
        );
        reads++;
        if (texts.includes('gone')) continue; // swapped away meanwhile: resolve again
        whole++;
        expect(new Set(texts).size).toBe(1);
      }
    };
    const readers = [reader(), reader(), reader()];
    for (let i = 0; i < 40; i++) await set.deliver(filesOf(`bundle ${i} ${'x'.repeat(i * 40)}`));
    done = true;
    await Promise.all(readers);
    expect(reads).toBeGreaterThan(20);
    expect(whole).toBeGreaterThan(0);
  });
});
