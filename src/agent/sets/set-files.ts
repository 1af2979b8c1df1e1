import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { codeOf } from '../../lib/errors.ts';
import { isInMemory } from '../in-memory.ts';
import { ownerOf } from '../owner.ts';
import type { TemplateJob } from '../template-job.ts';
import type { SetFile } from './atomic-set.ts';

/**
 * What templates gave as the files of a set, with the modes and owners that they name.
 * @throws MeshrootError `unknown-owner`
 */
export async function setFiles(
  folder: string,
  rendered: ReadonlyMap<TemplateJob, Buffer>,
): Promise<Map<string, SetFile>> {
  const otherwise = await usualMode(folder);
  const files = new Map<string, SetFile>();
  for (const [{ settings }, data] of rendered) {
    const owner = await ownerOf(settings);
    files.set(basename(settings.destination), { data, mode: settings.perms ?? otherwise, owner });
  }
  return files;
}

/** Set on a folder by the kubelet for an `fsGroup`: what is made there gets the folder's group. */
const groupIsGiven = 0o2000;

/**
 * For owner and group. In the volume that the injector adds, in memory and the pod's own, for everybody, as upstream's: who
 * reads there (istiod is 1337) has neither the agent's uid nor its group, unless the pod has an `fsGroup`.
 * @param folder need not be there yet: then the first one above it counts
 */
export async function usualMode(folder: string): Promise<number> {
  try {
    const { mode } = await stat(folder);
    return (mode & groupIsGiven) === 0 && (await isInMemory(folder)) ? 0o644 : 0o640;
  } catch (error) {
    const above = dirname(folder);
    return codeOf(error) === 'ENOENT' && above !== folder ? usualMode(above) : 0o640;
  }
}
