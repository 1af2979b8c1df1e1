import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { MeshrootError } from '../../lib/errors.ts';
import type { LineSink } from './audit-sink.ts';

/**
 * An append-only file of one JSON object per line. `stdout` and `discard` are the names that Vault knows.
 * @param mode permission bits; 0 leaves those of an existing file. Execution bits are never set
 * @throws MeshrootError `audit-file`
 */
export function openAuditFile(path: string, mode: number): LineSink {
  if (path === 'discard') return { write: () => {}, reopen: () => {}, close: () => {} };
  if (path === 'stdout')
    return { write: (line) => void process.stdout.write(line), reopen: () => {}, close: () => {} };
  if (!isAbsolute(path)) throw new MeshrootError('audit-file', `audit file path must be absolute: ${path}`);
  let fd = openFile(path, mode);
  return {
    write: (line) => {
      const bytes = Buffer.from(line);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    },
    reopen: () => {
      const next = openFile(path, mode);
      closeSync(fd);
      fd = next;
    },
    close: () => closeSync(fd),
  };
}

function openFile(path: string, mode: number): number {
  const bits = mode & 0o666;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a', bits === 0 ? 0o600 : bits);
  if (!fstatSync(fd).isFile()) {
    closeSync(fd);
    throw new MeshrootError('audit-file', `audit file ${path} is not a regular file`);
  }
  if (bits !== 0) chmodSync(path, bits);
  return fd;
}
