import { readFile } from 'node:fs/promises';
import type { Owner } from '../lib/atomic-file.ts';
import { MeshrootError } from '../lib/errors.ts';

/** Who is to own a file, as a configuration says it: names or numbers. */
export interface OwnerSettings {
  readonly user: string | undefined;
  readonly group: string | undefined;
}

/**
 * The numbers of a user and a group; a name is looked up in /etc/passwd and /etc/group.
 * @returns undefined when neither is given
 * @throws MeshrootError `unknown-owner`
 */
export async function ownerOf({ user, group }: OwnerSettings): Promise<Owner | undefined> {
  if (user === undefined && group === undefined) return undefined;
  return {
    uid: user === undefined ? (process.getuid?.() ?? 0) : await idOf(user, 'user', '/etc/passwd'),
    gid: group === undefined ? (process.getgid?.() ?? 0) : await idOf(group, 'group', '/etc/group'),
  };
}

async function idOf(name: string, kind: 'user' | 'group', file: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const row = lines.map((line) => line.split(':')).find(([first]) => first === name);
  if (row?.[2] !== undefined) return Number(row[2]);
  throw new MeshrootError('unknown-owner', `failed looking up ${kind} "${name}": it is not in ${file}`, {
    exit: 1,
    hint: `give its number instead: ${kind === 'user' ? 'uid' : 'gid'}`,
  });
}
