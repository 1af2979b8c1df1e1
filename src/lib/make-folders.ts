import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

/**
 * Makes a folder and those above it that are missing. Not Node's `recursive`: where a file system lets nobody make folders
 * and says so with ENOENT, as /proc does, that one tries for ever, and the process cannot end.
 * @throws what mkdir of node:fs does
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await mkdir(path, mode).catch(ignoreNeighbour);
  }
}

/** The same, at once. */
export function makeFoldersSync(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFoldersSync(dirname(path), mode);
    mkdirSync(path, mode);
  }
}

/** Two templates of one new folder make it side by side. */
function ignoreNeighbour(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}
