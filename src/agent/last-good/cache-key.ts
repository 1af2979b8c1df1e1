import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, MeshrootError } from '../../lib/errors.ts';
import { readLimitedFile } from '../../lib/limited-file.ts';
import { Secret } from '../../lib/secret.ts';
import type { PersistSettings } from '../config/config.ts';
import { isInMemory } from '../in-memory.ts';

/** Bytes; of a key that somebody else provides at least so many. */
const keySize = 32;

/**
 * The key of the sealed copy: from `key_file`, or from beside the copy where that is in memory. It is made when it is
 * not there. A service account token cannot take its place: the next pod has another one.
 * @throws MeshrootError `last-good-key`
 */
export async function cacheKey({ path, keyFile }: PersistSettings): Promise<Secret<Buffer>> {
  const place = keyFile ?? join(path, 'last-good.key');
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  if (keyFile === undefined && !(await isInMemory(dirname(place))))
    throw new MeshrootError(
      'last-good-key',
      `${path} is on a disk, and the key would lie beside what it protects`,
      {
        exit: 1,
        hint: 'set cache.persist.key_file to a file elsewhere, or use a volume in memory (emptyDir, medium: Memory)',
      },
    );
  const known = await readLimitedFile(place);
  if (known !== undefined) return checked(known.bytes, place);
  return (await made(place)) ?? checked((await readLimitedFile(place))?.bytes ?? Buffer.alloc(0), place);
}

/** Undefined when another agent of the pod was faster. */
async function made(place: string): Promise<Secret<Buffer> | undefined> {
  const key = randomBytes(keySize);
  try {
    const file = await open(place, 'wx', 0o600);
    try {
      await file.writeFile(key);
      await file.sync();
    } finally {
      await file.close();
    }
    return new Secret(key);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

function checked(bytes: Buffer, place: string): Secret<Buffer> {
  if (bytes.length >= keySize) return new Secret(bytes);
  throw new MeshrootError(
    'last-good-key',
    `${place} holds ${bytes.length} bytes, a key has ${keySize} or more`,
    {
      exit: 1,
      hint: `remove it to have one made, or fill it: head -c ${keySize} /dev/urandom`,
    },
  );
}
