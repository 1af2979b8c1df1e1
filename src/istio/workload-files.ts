import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf } from '../lib/errors.ts';

/** Names as pilot-agent's OUTPUT_CERTS has them. */
export interface WorkloadFiles {
  readonly 'key.pem': string;
  readonly 'cert-chain.pem': string;
  readonly 'root-cert.pem': string;
}

/**
 * Writes the three files so that a reader of `folder` always sees three of one set: into a folder of their own, then
 * one rename of the `..data` link that the names go through (as the kubelet does it). Mode 0600.
 */
export async function writeWorkloadFiles(
  folder: string,
  files: WorkloadFiles,
  version: string,
): Promise<void> {
  const set = `..set-${version}`;
  await mkdir(join(folder, set), { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(folder, set, name), text);
  const before = await linkTarget(join(folder, '..data'));
  await replaceLink(folder, '..data', set);
  for (const name of Object.keys(files)) await replaceLink(folder, name, join('..data', name));
  await syncFolder(folder);
  await dropOldSets(folder, [set, before]);
}

async function replaceLink(folder: string, name: string, target: string): Promise<void> {
  const path = join(folder, name);
  if ((await linkTarget(path)) === target) return;
  const temporary = join(folder, `..tmp-${name}`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EINVAL') return undefined; // EINVAL: a plain file
    throw error;
  }
}

/** The set before stays for readers that are in the middle of it. */
async function dropOldSets(folder: string, keep: readonly (string | undefined)[]): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('..set-') && !keep.includes(name))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
