import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Random } from './barrier.ts';
import type { TokenEntry } from './token-entry.ts';

export const batchPrefix = 'hvb.';
const nonceLength = 12;
const tagLength = 16;

/** A batch token as it travels: everything the store would otherwise have to remember. */
export type BatchEntry = Omit<TokenEntry, 'key'>;

/** Seals batch tokens: AES-256-GCM under a key that is derived from the token store's salt and never stored. */
export class BatchSeal {
  readonly #key: Buffer;
  readonly #random: Random;

  constructor(salt: Buffer, random: Random) {
    this.#key = Buffer.from(hkdfSync('sha256', salt, '', 'batch tokens', 32));
    this.#random = random;
  }

  seal(entry: BatchEntry): string {
    const nonce = this.#random(nonceLength);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const text = Buffer.concat([cipher.update(JSON.stringify(entry)), cipher.final()]);
    return batchPrefix + Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined for whatever this store has not sealed. */
  open(token: string): BatchEntry | undefined {
    const blob = Buffer.from(token.slice(batchPrefix.length), 'base64url');
    if (blob.length < nonceLength + tagLength) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, blob.subarray(0, nonceLength), {
        authTagLength: tagLength,
      });
      decipher.setAuthTag(blob.subarray(-tagLength));
      const text = Buffer.concat([decipher.update(blob.subarray(nonceLength, -tagLength)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as BatchEntry;
    } catch {
      return undefined;
    }
  }
}
