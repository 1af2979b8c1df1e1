import { open } from 'node:fs/promises';
import { codeOf, MeshrootError } from './errors.ts';

export interface LimitedFile {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** Keys, certificates and bundles are a few kB; what is larger is a mistake or an attack. */
const defaultMaxSize = 1024 * 1024;

/**
 * Reads a whole file of limited size; undefined when it does not exist. Measures the handle that it reads from, so
 * that a swap between the two cannot fool it.
 * @throws MeshrootError `file-too-large`, `file-unreadable`
 */
export async function readLimitedFile(
  path: string,
  maxSize = defaultMaxSize,
): Promise<LimitedFile | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw unreadable(path, 'not a file');
      if (stats.size > maxSize) throw tooLarge(path, stats.size, maxSize);
      return { bytes: await handle.readFile(), mode: stats.mode & 0o777 };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof MeshrootError) throw error;
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, codeOf(error) ?? 'unknown reason', error);
  }
}

const tooLarge = (path: string, size: number, maxSize: number): MeshrootError =>
  new MeshrootError(
    'file-too-large',
    `${path} has ${size} bytes, more than the ${maxSize} that are read here`,
  );

const unreadable = (path: string, why: string, cause?: unknown): MeshrootError =>
  new MeshrootError('file-unreadable', `${path} cannot be read (${why})`, { cause });
