import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { readLimitedFile } from '../../lib/limited-file.ts';
import type { Secret } from '../../lib/secret.ts';

/** First bytes of a sealed file: what it is, and how it is sealed. */
const magic = Buffer.from('meshroot-last-good-1\n');
const [nonceSize, tagSize] = [12, 16];
const maxSize = 16 * 1024 * 1024;

/** What a file is sealed with and for: it opens only with the same key and the same words. */
export interface Seal {
  readonly key: Secret<Buffer>;
  /** Who it is for and where it goes: authenticated, not stored. */
  readonly scope: string;
}

/** AES-256-GCM (NIST SP 800-38D) with a fresh nonce; the file is 0600 and replaced whole. */
export async function writeSealed(path: string, content: Buffer, seal: Seal): Promise<void> {
  const nonce = randomBytes(nonceSize);
  const cipher = createCipheriv('aes-256-gcm', derived(seal.key), nonce).setAAD(Buffer.from(seal.scope));
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, Buffer.concat([magic, nonce, sealed, cipher.getAuthTag()]), 0o600);
}

/**
 * @returns the content; undefined when there is no file
 * @throws MeshrootError `last-good-refused` when it was changed, or sealed with another key or for somebody else
 */
export async function readSealed(path: string, seal: Seal): Promise<Buffer | undefined> {
  const found = await readLimitedFile(path, maxSize);
  if (found === undefined) return undefined;
  const body = found.bytes.subarray(magic.length);
  if (!found.bytes.subarray(0, magic.length).equals(magic) || body.length < nonceSize + tagSize)
    throw refused(`${path} is no sealed copy`);
  const nonce = body.subarray(0, nonceSize);
  const decipher = createDecipheriv('aes-256-gcm', derived(seal.key), nonce, { authTagLength: tagSize })
    .setAAD(Buffer.from(seal.scope))
    .setAuthTag(body.subarray(-tagSize));
  try {
    return Buffer.concat([decipher.update(body.subarray(nonceSize, -tagSize)), decipher.final()]);
  } catch {
    throw refused(
      `${path} cannot be opened: it was changed, or made with another key, for another role or other files`,
    );
  }
}

function derived(key: Secret<Buffer>): Buffer {
  return Buffer.from(hkdfSync('sha256', key.reveal(), Buffer.alloc(0), 'meshroot last-good copy', 32));
}

function refused(message: string): MeshrootError {
  return new MeshrootError('last-good-refused', message, {
    exit: 1,
    hint: 'it is not used; the next successful rendering replaces it',
  });
}
