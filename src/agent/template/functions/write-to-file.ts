import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { makeFoldersSync } from '../../../lib/make-folders.ts';
import { quote } from '../quote.ts';
import { FunctionError, toUtf8 } from '../values.ts';
import { define, type FunctionTable } from './define.ts';

const s = 'string';

/** `writeToFile PATH USER GROUP PERMS [FLAGS] CONTENT`: runs each time evaluation reaches it, prints nothing. */
export const writeFileFunctions: FunctionTable = {
  writeToFile: define([s, s, s, s, `...${s}`], s, (a) => {
    const [path = '', user = '', group = '', perms = '', ...rest] = a.texts(0);
    const flags = rest.length === 2 ? (rest[0] ?? '') : '';
    write(toUtf8(path), user, group, perms, flags, rest.at(-1) ?? '');
    return '';
  }),
};

function write(
  path: string,
  user: string,
  group: string,
  perms: string,
  flags: string,
  content: string,
): void {
  if (!/^[0-7]+$/.test(perms))
    throw new FunctionError(`strconv.ParseUint: parsing ${quote(perms)}: invalid syntax`);
  const mode = Number.parseInt(perms, 8);
  const folder = dirname(normalize(path));
  makeFoldersSync(folder);
  refuseSymlinks(folder, path);
  const text = flags.includes('newline') ? `${content}\n` : content;
  const how = flags.includes('append') ? constants.O_APPEND : constants.O_TRUNC;
  const target = join(folder, basename(path));
  const file = openSync(target, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | how, mode);
  try {
    writeSync(file, Buffer.from(text, 'latin1'));
  } finally {
    closeSync(file);
  }
  if (user !== '' || group !== '')
    chownSync(
      target,
      idOf(user, '/etc/passwd', process.getuid?.()),
      idOf(group, '/etc/group', process.getgid?.()),
    );
  chmodSync(target, mode);
}

function refuseSymlinks(folder: string, path: string): void {
  if (lstatSync(folder).isSymbolicLink())
    throw new FunctionError(
      `writeToFile: refusing to write through symlinked directory in path ${quote(path)}`,
    );
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new FunctionError(`writeToFile: refusing to write to symlink ${quote(path)}`);
}

function idOf(name: string, table: string, fallback: number | undefined): number {
  if (name === '') return fallback ?? 0;
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync(table, 'utf8')
    .split('\n')
    .find((l) => l.startsWith(`${name}:`));
  const id = line?.split(':')[2];
  if (id === undefined)
    throw new FunctionError(
      `${table === '/etc/group' ? 'group: unknown group' : 'user: unknown user'} ${name}`,
    );
  return Number(id);
}
