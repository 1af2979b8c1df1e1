import { link, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { TemplateSettings } from './config/config.ts';

/**
 * Writes what a template gave, unless the file holds the same bytes already.
 * @returns whether it was written
 */
export async function writeRendered(settings: TemplateSettings, data: Buffer): Promise<boolean> {
  const { destination, perms, backup } = settings;
  if (settings.createDestDirs) await mkdir(dirname(destination), { recursive: true, mode: 0o755 });
  const known = await stat(destination).catch(() => undefined);
  const mode = perms ?? (known === undefined ? 0o644 : known.mode & 0o777);
  if (known !== undefined) {
    const same = (await readFile(destination)).equals(data) && (known.mode & 0o777) === mode;
    if (same) return false;
    if (backup) {
      await rm(`${destination}.bak`, { force: true });
      await link(destination, `${destination}.bak`);
    }
  }
  await writeFileAtomic(destination, data, mode);
  return true;
}
