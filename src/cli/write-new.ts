import { open } from 'node:fs/promises';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/** Writes a file that is not there yet; one that is is never overwritten. @throws MeshrootError `file-exists`, `file-not-written` */
export async function writeNew(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o644);
    await file.writeFile(text);
    await file.close();
  } catch (error) {
    const exists = codeOf(error) === 'EEXIST';
    throw new MeshrootError(
      exists ? 'file-exists' : 'file-not-written',
      exists
        ? `${path} is there already and is not overwritten`
        : `${path} cannot be written: ${codeOf(error)}`,
      {
        hint: exists ? 'name another with -f FILE, or move it away' : 'name another place with -f FILE',
        exit: 1,
        cause: error,
      },
    );
  }
}
