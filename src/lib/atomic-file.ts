import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Numbers of a file's user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes `data` so that a reader (or a crash) sees the old file or the new one, never a part: a temporary file in the
 * same folder, fsync, rename, fsync of the folder.
 * @param mode permission bits, 0600 unless told otherwise
 * @param owner set before the file is in place; the process's own when not given
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
  owner?: Owner,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.tmp.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode); // the umask must not widen or narrow what was asked for
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes renames and unlinks in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
