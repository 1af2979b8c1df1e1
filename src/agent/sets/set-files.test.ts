import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isInMemory } from '../in-memory.ts';
import { usualMode } from './set-files.ts';

const memory = '/dev/shm';
const hasMemory = await isInMemory(memory).catch(() => false);

describe('files of a set for which no template names a mode', () => {
  test('on a disk are for owner and group, also where the folder is still to be made', async ({ skip }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mode-'));
    skip(await isInMemory(folder), 'the folder for temporary files is in memory');
    expect(await usualMode(join(folder, 'to', 'be', 'made'))).toBe(0o640);
    await rm(folder, { recursive: true });
  });

  test.skipIf(!hasMemory)(
    'in memory are for every uid of the pod, or for its fsGroup where it has one',
    async () => {
      const folder = await mkdtemp(join(memory, 'mode-'));
      expect(await usualMode(folder)).toBe(0o644);
      expect(await usualMode(join(folder, 'below'))).toBe(0o644);
      await chmod(folder, 0o2777);
      expect(await usualMode(folder)).toBe(0o640);
      await rm(folder, { recursive: true });
    },
  );
});
