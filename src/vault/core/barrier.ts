import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MeshrootError } from '../../lib/errors.ts';

export type Random = (bytes: number) => Buffer;

const formatByte = 2;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 5;

/** One data key. Old terms are kept for reading what they wrote. */
export interface KeyringTerm {
  readonly term: number;
  readonly key: Buffer;
  /** Milliseconds. */
  readonly installed: number;
}

/**
 * AES-256-GCM of one blob: 4 bytes of key term, 1 of format, 12 of nonce, ciphertext and tag. The storage path is the
 * additional data, so that a blob moved to another path does not decrypt.
 */
export function encryptBlob(
  key: Buffer,
  term: number,
  path: string,
  plain: Uint8Array,
  random: Random,
): Buffer {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(path));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(term);
  header[4] = formatByte;
  return Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws MeshrootError `store-corrupt` when the blob was changed, moved, or made with another key */
export function decryptBlob(key: Buffer, path: string, blob: Uint8Array): Buffer {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < headerBytes + nonceBytes + tagBytes || bytes[4] !== formatByte) throw corrupt(path);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    key,
    bytes.subarray(headerBytes, headerBytes + nonceBytes),
  );
  decipher.setAAD(Buffer.from(path));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(headerBytes + nonceBytes, -tagBytes)),
      decipher.final(),
    ]);
  } catch (error) {
    throw corrupt(path, error);
  }
}

function corrupt(path: string, cause?: unknown): MeshrootError {
  return new MeshrootError('store-corrupt', `the store's entry ${path} cannot be decrypted`, {
    hint: 'the file was damaged or changed; restore a backup',
    cause,
  });
}

/** The data keys between memory (clear) and the physical store (encrypted). Exists only while unsealed. */
export class Barrier {
  readonly #terms: Map<number, KeyringTerm>;
  readonly #random: Random;
  #active: KeyringTerm;
  #encryptions = 0;

  constructor(terms: readonly KeyringTerm[], random: Random) {
    const active = terms.at(-1);
    if (active === undefined) throw new MeshrootError('store-corrupt', 'the keyring is empty');
    this.#terms = new Map(terms.map((term) => [term.term, term]));
    this.#active = active;
    this.#random = random;
  }

  get terms(): readonly KeyringTerm[] {
    return [...this.#terms.values()];
  }

  get active(): KeyringTerm {
    return this.#active;
  }

  /** Under the active key, since it was added or the store was opened. */
  get encryptions(): number {
    return this.#encryptions;
  }

  /** New writes use `term` from now on. */
  add(term: KeyringTerm): void {
    this.#terms.set(term.term, term);
    this.#active = term;
    this.#encryptions = 0;
  }

  /** @throws MeshrootError `sealed` after `wipe`: a call that was under way must not write with a wiped key */
  encrypt(path: string, plain: Uint8Array): Buffer {
    if (this.#terms.size === 0) throw new MeshrootError('sealed', 'Vault is sealed', { status: 503 });
    this.#encryptions++;
    return encryptBlob(this.#active.key, this.#active.term, path, plain, this.#random);
  }

  decrypt(path: string, blob: Uint8Array): Buffer {
    const term = blob.length < 4 ? undefined : Buffer.from(blob.subarray(0, 4)).readUInt32BE();
    const found = term === undefined ? undefined : this.#terms.get(term);
    if (found === undefined) throw corrupt(path);
    return decryptBlob(found.key, path, blob);
  }

  /** Overwrites the keys. A JavaScript runtime may hold copies: documented, cannot be helped. */
  wipe(): void {
    for (const { key } of this.#terms.values()) key.fill(0);
    this.#terms.clear();
  }
}
