import { link, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { makeFolders } from '../lib/make-folders.ts';
import type { TemplateSettings } from './config/config.ts';
import { ownerOf } from './owner.ts';

/**
 * Writes what a template gave, unless the file holds the same bytes already.
 * @returns whether it was written
 */
export async function writeRendered(settings: TemplateSettings, data: Buffer): Promise<boolean> {
  const { destination, perms, backup } = settings;
  if (settings.createDestDirs) await makeFolders(dirname(destination), 0o755);
  const known = await stat(destination).catch(() => undefined);
  const mode = perms ?? (known === undefined ? 0o644 : known.mode & 0o777);
  const wanted = await ownerOf(settings);
  // As upstream: a file that is replaced keeps its owner, where this process may give files away.
  const owner = wanted ?? (known !== undefined && process.getuid?.() === 0 ? known : undefined);
  if (known !== undefined) {
    const owned = wanted === undefined || (known.uid === wanted.uid && known.gid === wanted.gid);
    const same = owned && (known.mode & 0o777) === mode && (await readFile(destination)).equals(data);
    if (same) return false;
    if (backup) {
      await rm(`${destination}.bak`, { force: true });
      await link(destination, `${destination}.bak`);
    }
  }
  await writeFileAtomic(destination, data, mode, owner);
  return true;
}
