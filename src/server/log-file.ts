import { openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { MeshrootError, messageOf } from '../lib/errors.ts';

/**
 * What is written goes to `stream` and, appended, to `path` (made for its owner alone).
 * @throws MeshrootError `bad-log-file`
 */
export function alsoToFile(stream: Writable, path: string): Writable {
  const file = openLog(path);
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      stream.write(chunk);
      try {
        writeSync(file, chunk.toString());
      } catch {
        // A full disk must not stop the server: standard error has the line.
      }
      done();
    },
  });
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw new MeshrootError('bad-log-file', `the log file cannot be opened: ${messageOf(error)}`, {
      hint: 'log_file names a file in a folder that is there',
    });
  }
}
