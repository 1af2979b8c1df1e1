import { mkdir, mkdtemp, realpath, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes `folder` (0700) and gives a name for it that may stand in shell texts and JSON without quoting: itself, or a link
 * in the system's temporary folder when it holds a space, a quote or the like.
 */
export async function shellSafeFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const real = await realpath(folder);
  if (/^[\w./+@-]+$/.test(real)) return real;
  const link = join(await mkdtemp(join(tmpdir(), 'meshroot-')), 'node');
  await symlink(real, link);
  return link;
}
