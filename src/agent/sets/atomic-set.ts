import {
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type Owner, syncFolder } from '../../lib/atomic-file.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf } from '../../lib/errors.ts';
import { makeFolders } from '../../lib/make-folders.ts';
import type { SetVerifier } from './verifier.ts';

export interface SetFile {
  readonly data: Buffer;
  readonly mode: number;
  /** Undefined: whoever runs this. */
  readonly owner?: Owner | undefined;
}

export type Delivery =
  | { readonly outcome: 'delivered' | 'unchanged' }
  | { readonly outcome: 'refused'; readonly refusals: readonly string[] };

export const statusFile = '.meshroot-set.json';

/**
 * Files of one folder that change together, in the layout of the kubelet's AtomicWriter: `ca-key.pem` → `..data/ca-key.pem`,
 * `..data` → `..2026_11_22_15_28_19.123`, one rename of `..data` per change. Whoever resolves `..data` once and reads all
 * files below it has a consistent set; whoever watches the folder sees Create events.
 */
export class AtomicSet {
  readonly #folder: string;
  readonly #verifier: SetVerifier;
  readonly #clock: Clock;
  /** Facts about what lies in the folder, as far as this process put or found it there. */
  #delivered: Readonly<Record<string, string>> = {};
  #noted: Readonly<Record<string, string>> = {};
  #count = 0;

  constructor(folder: string, verifier: SetVerifier, clock: Clock) {
    this.#folder = folder;
    this.#verifier = verifier;
    this.#clock = clock;
  }

  /** Serial, end and fingerprint of what was delivered last; empty before. */
  get facts(): Readonly<Record<string, string>> {
    return this.#delivered;
  }

  /** Judges the set and, when it is good and new, swaps it in. A refused set leaves what is there untouched. */
  async deliver(files: ReadonlyMap<string, SetFile>): Promise<Delivery> {
    const contents = new Map([...files].map(([name, { data }]) => [name, data]));
    const { refusals, facts } = await this.#verifier.verify(contents, this.#clock.now());
    if (refusals.length > 0) {
      await this.refuse(refusals, facts);
      return { outcome: 'refused', refusals };
    }
    if (await this.#isCurrent(files)) {
      await this.#confirm(facts);
      return { outcome: 'unchanged' };
    }
    await this.#swapIn(files);
    this.#noted = {};
    await this.#confirm(facts);
    return { outcome: 'delivered' };
  }

  /** Notes beside the last good set why a newer one was not delivered. */
  async refuse(reasons: readonly string[], facts: Readonly<Record<string, string>> = {}): Promise<void> {
    await makeFolders(this.#folder);
    await this.#writeStatus({ state: 'refused', ...this.#delivered, refused: { reasons, ...facts } });
  }

  /** What is to be said about the delivered set beside its facts; forgotten with the next set. */
  async note(more: Readonly<Record<string, string>>): Promise<void> {
    this.#noted = more;
    await this.#writeStatus({ state: 'delivered', ...this.#delivered, ...more });
  }

  async #confirm(facts: Readonly<Record<string, string>>): Promise<void> {
    this.#delivered = facts;
    await this.#writeStatus({ state: 'delivered', ...facts, ...this.#noted });
  }

  async #isCurrent(files: ReadonlyMap<string, SetFile>): Promise<boolean> {
    for (const [name, file] of files) {
      const link = await readlink(join(this.#folder, name)).catch(() => undefined);
      const isThere = await holds(join(this.#folder, '..data', name), file).catch(() => false);
      if (link !== join('..data', name) || !isThere) return false;
    }
    return true;
  }

  async #swapIn(files: ReadonlyMap<string, SetFile>): Promise<void> {
    await makeFolders(this.#folder);
    const staged = await this.#stage(files);
    await this.#link(staged, '..data');
    for (const name of files.keys()) {
      if ((await readlink(join(this.#folder, name)).catch(() => undefined)) !== join('..data', name))
        await this.#link(join('..data', name), name);
    }
    await syncFolder(this.#folder);
    await this.#removeOld(staged);
  }

  async #stage(files: ReadonlyMap<string, SetFile>): Promise<string> {
    const stamp = new Date(this.#clock.now())
      .toISOString()
      .replace(/[-:]/g, '_')
      .replace('T', '_')
      .replace('Z', '');
    const name = `..${stamp}.${process.pid}_${this.#count++}`;
    const staged = join(this.#folder, name);
    await mkdir(staged, { mode: 0o755 });
    try {
      await Promise.all([...files].map(([file, content]) => writeSynced(join(staged, file), content)));
      await syncFolder(staged);
    } catch (error) {
      await rm(staged, { recursive: true, force: true }); // a full disk needs the room
      throw error;
    }
    return name;
  }

  /** Puts a symlink in place in one step, over whatever is there. */
  async #link(target: string, name: string): Promise<void> {
    const temporary = join(this.#folder, `${name.startsWith('..') ? '' : '..'}${name}_tmp`);
    await rm(temporary, { force: true });
    await symlink(target, temporary);
    await rename(temporary, join(this.#folder, name));
  }

  /** Former sets, and what a crash left half-staged. */
  async #removeOld(current: string): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (!/^\.\.\d{4}_/.test(name) || name === current) continue;
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Written only when it says something new: the folder is watched, and each write wakes the watcher. */
  async #writeStatus(status: Readonly<Record<string, unknown>>): Promise<void> {
    const path = join(this.#folder, statusFile);
    const text = `${JSON.stringify({ set: this.#verifier.name, ...status }, null, 2)}\n`;
    const known = await readFile(path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    });
    if (known === text) return;
    // Whole, but not fsynced: after a crash it is written again.
    const temporary = join(this.#folder, '..status_tmp');
    await writeFile(temporary, text, { mode: 0o644 });
    await rename(temporary, path);
  }
}

async function holds(path: string, { data, mode, owner }: SetFile): Promise<boolean> {
  const known = await stat(path);
  const isOwned = owner === undefined || (known.uid === owner.uid && known.gid === owner.gid);
  return isOwned && (known.mode & 0o777) === mode && (await readFile(path)).equals(data);
}

async function writeSynced(path: string, { data, mode, owner }: SetFile): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.chmod(mode); // whatever the umask says
    await handle.writeFile(data);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
