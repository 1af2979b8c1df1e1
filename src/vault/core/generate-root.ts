import type { Clock } from '../../lib/clock.ts';
import type { Random } from './barrier.ts';
import type { Physical } from './physical.ts';
import { refuse } from './refusal.ts';
import { checkNonce } from './rekey.ts';
import { rootTokenOrder } from './root-token.ts';
import { openRootKey, readSealConfig } from './seal.ts';
import { ShareQuorum } from './share-quorum.ts';
import type { Storage } from './storage.ts';
import { randomBase62, type TokenStore } from './tokens.ts';
import { uuidOf } from './uuid.ts';

/** `hvs.` and 24 characters. Old clients ask for `s.` and 24 by the length of their one-time password. */
export const otpLength = 28;
const oldOtpLength = 26;

export interface RootGenerationStatus {
  readonly nonce: string;
  readonly started: boolean;
  readonly progress: number;
  readonly required: number;
}

export interface RootGenerationOptions {
  readonly physical: Physical;
  readonly storage: Storage;
  readonly tokens: TokenStore;
  readonly random: Random;
  readonly clock: Clock;
}

/** A new root token by a quorum of key shares, given out under a one-time password that only its caller knows. */
export class RootGeneration {
  readonly #options: RootGenerationOptions;
  #attempt: { readonly quorum: ShareQuorum; readonly otp: string } | undefined;

  constructor(options: RootGenerationOptions) {
    this.#options = options;
  }

  status(): RootGenerationStatus {
    const quorum = this.#attempt?.quorum;
    return {
      nonce: quorum?.nonce ?? '',
      started: quorum !== undefined,
      progress: quorum?.progress ?? 0,
      required: readSealConfig(this.#options.physical)?.threshold ?? 0,
    };
  }

  /** @param otp empty = one is made and returned, this once. @throws Refusal 400 */
  begin(otp: string): string {
    if (otp !== '' && otp.length !== otpLength && otp.length !== oldOtpLength) {
      throw refuse('OTP string has incorrect length');
    }
    if (this.#attempt !== undefined) {
      throw refuse('root generation already in progress for this namespace', 400, 'root-generation-busy');
    }
    const { random } = this.#options;
    const made = otp === '' ? randomBase62(otpLength, random) : '';
    const quorum = new ShareQuorum(uuidOf(random(16)), this.status().required);
    this.#attempt = { quorum, otp: otp === '' ? made : otp };
    return made;
  }

  cancel(): void {
    this.#attempt?.quorum.wipe();
    this.#attempt = undefined;
  }

  /** One share more; the encoded token when it was the last. @throws Refusal 400 */
  async update(share: Buffer, nonce: string): Promise<string | undefined> {
    const attempt = this.#attempt;
    if (attempt === undefined) throw refuse('no root generation in progress', 400, 'no-root-generation');
    checkNonce(nonce, attempt.quorum.nonce, 'root generation operation');
    const shares = attempt.quorum.add(
      share,
      'given key has already been provided during this generation operation',
    );
    if (shares === undefined) return undefined;
    const rootKey = await openRootKey(this.#options.physical, shares);
    rootKey.fill(0);
    for (const used of shares) used.fill(0);
    if (this.#attempt !== attempt) {
      throw refuse('no root generation in progress', 400, 'no-root-generation'); // cancelled meanwhile
    }
    this.cancel();
    return encodeToken(await this.#makeToken(attempt.otp.length), attempt.otp);
  }

  async #makeToken(length: number): Promise<string> {
    const { storage, tokens, random, clock } = this.#options;
    const id = `${length === oldOtpLength ? 's.' : 'hvs.'}${randomBase62(24, random)}`;
    const transaction = storage.begin(false);
    tokens.create(transaction, { ...rootTokenOrder, id }, clock.now());
    await transaction.commit();
    return id;
  }
}

/** Unpadded base64 of token XOR one-time password. */
export function encodeToken(token: string, otp: string): string {
  return xor(Buffer.from(token), Buffer.from(otp)).toString('base64').replace(/=+$/, '');
}

/** The inverse of `encodeToken`. @throws Refusal 400 when the two are not of one length */
export function decodeToken(encoded: string, otp: string): string {
  const bytes = Buffer.from(encoded, 'base64');
  const key = Buffer.from(otp);
  if (bytes.length !== key.length) throw refuse('error decoding the token: the otp is not of its length');
  return xor(bytes, key).toString('utf8');
}

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
