import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, MeshrootError } from '../../lib/errors.ts';

export interface PayloadFile {
  readonly data: Buffer;
  readonly mode: number;
}

/** Files of a volume by relative path. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/**
 * Brings the folder to hold exactly `payload`, all files at once, laid out as the kubelet does
 * (pkg/volume/util/atomic_writer.go): the files in `..<time>.<random>/`, `..data` -> that folder, and each top-level name
 * -> `..data/<name>`. Readers see the old set or the new one; a watcher of the folder sees one rename of `..data`.
 * @returns whether anything changed
 * @throws MeshrootError `bad-volume-path`
 */
export async function writePayload(folder: string, payload: Payload, now: number): Promise<boolean> {
  for (const path of payload.keys()) requireInside(path);
  const current = await readlink(join(folder, '..data')).catch(() => undefined);
  if (current !== undefined && (await holds(join(folder, current), payload))) return false;
  const name = `..${stamp(now)}.${randomBytes(4).readUInt32BE()}`;
  await writeFiles(join(folder, name), payload);
  await rm(join(folder, '..data_tmp'), { force: true });
  await symlink(name, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await linkTopLevel(folder, payload);
  if (current !== undefined) await rm(join(folder, current), { recursive: true, force: true });
  return true;
}

async function writeFiles(folder: string, payload: Payload): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const [path, { data, mode }] of payload) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data, { mode });
  }
}

async function linkTopLevel(folder: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? ''));
  for (const name of await readdir(folder)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(folder, name), { force: true });
  }
  for (const name of wanted) {
    await symlink(`..data/${name}`, join(folder, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

async function holds(folder: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, { data }] of payload) {
    const there = await readFile(join(folder, path)).catch(() => undefined);
    if (there === undefined || !there.equals(data)) return false;
  }
  return true;
}

/** No absolute path, no `..`, no name that starts with `..`: those are the writer's own. */
function requireInside(path: string): void {
  const parts = path.split('/');
  const wrong = path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..');
  if (wrong || path.includes('\0')) {
    throw new MeshrootError('bad-volume-path', `"${path}" is not a path inside a volume`);
  }
}

/** `2026_11_22_15_04_05`, UTC. */
function stamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_');
}
