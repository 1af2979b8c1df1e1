import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { isProcessAlive } from '../lib/process-alive.ts';
import { isRecord } from '../lib/records.ts';

/** Layout of the folder that `up` keeps everything in. */
export interface StateFolder {
  readonly path: string;
  /** Where in it `name` is. */
  file(...name: string[]): string;
  /** The folder holds a store that an earlier `up` brought to its end. */
  readonly used: boolean;
  /** Notes that the store can be opened again. */
  markReady(): Promise<void>;
  /** Lets others have the folder; removes it when it was ours alone. */
  release(options: { remove: boolean }): Promise<void>;
}

/** Written last: a folder without it, but with a store in it, was left half-made. */
const marker = 'meshroot.json';
const lockName = 'up.lock';
const layout = 1;

/**
 * Takes the folder for this process. A folder that was left half-made, belongs to another layout, is in use or holds
 * somebody else's files is refused untouched.
 * @throws MeshrootError `dir-in-use`, `dir-half-made`, `dir-of-other-version`, `dir-not-ours`
 */
export async function takeStateFolder(path: string): Promise<StateFolder> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new MeshrootError('dir-unusable', `${path} cannot be used: ${codeOf(error)}`, {
      hint: 'choose another with --dir',
    });
  });
  const inside = await readdir(folder);
  const used = await stateOf(folder, inside);
  await lock(folder);
  const file = (...name: string[]) => join(folder, ...name);
  return {
    path: folder,
    file,
    used,
    markReady: () => writeFileAtomic(file(marker), `${JSON.stringify({ layout })}\n`),
    release: async ({ remove }) => {
      await rm(file(lockName), { force: true });
      if (remove) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function stateOf(folder: string, inside: readonly string[]): Promise<boolean> {
  if (inside.includes(marker)) {
    await refuseOtherLayout(folder);
    return true;
  }
  if (inside.includes(lockName)) await refuseLiving(folder);
  if (inside.includes('store')) {
    throw new MeshrootError(
      'dir-half-made',
      `${folder} was left half-made by an up that did not come to its end`,
      {
        hint: `nothing in it was ever in use; remove it: rm -r ${folder}`,
      },
    );
  }
  const foreign = inside.filter((name) => name !== lockName);
  if (foreign.length > 0) {
    throw new MeshrootError(
      'dir-not-ours',
      `${folder} holds other files (${foreign.slice(0, 3).join(', ')})`,
      {
        hint: 'choose an empty or new folder with --dir',
      },
    );
  }
  return false;
}

async function refuseOtherLayout(folder: string): Promise<void> {
  const text = await readFile(join(folder, marker), 'utf8');
  if (layoutOf(text) === layout) return;
  throw new MeshrootError('dir-of-other-version', `${folder} was made by another version of meshroot`, {
    hint: 'use that version, or choose another folder with --dir',
  });
}

function layoutOf(text: string): unknown {
  try {
    const data: unknown = JSON.parse(text);
    return isRecord(data) ? data.layout : undefined;
  } catch {
    return undefined;
  }
}

/** The lock names the process that holds it; one whose process is gone is taken over. */
async function lock(folder: string): Promise<void> {
  const path = join(folder, lockName);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      await refuseLiving(folder);
      await rm(path, { force: true });
    }
  }
  throw inUse(folder, 'another process');
}

async function refuseLiving(folder: string): Promise<void> {
  const pid = Number((await readFile(join(folder, lockName), 'utf8').catch(() => '')).trim());
  if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && isProcessAlive(pid))
    throw inUse(folder, `process ${pid}`);
}

const inUse = (folder: string, who: string): MeshrootError =>
  new MeshrootError('dir-in-use', `${folder} is in use by ${who}`, {
    hint: 'stop it, or choose another folder with --dir',
  });
