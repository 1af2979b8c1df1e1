import { refuse } from '../../core/refusal.ts';

export interface Hash {
  readonly digest: string;
  readonly bytes: number;
  /** For the DigestInfo of PKCS#1 v1.5. */
  readonly oid: string;
}

const sha2 = '2.16.840.1.101.3.4.2.';
const hashes: Readonly<Record<string, Hash>> = {
  sha1: { digest: 'sha1', bytes: 20, oid: '1.3.14.3.2.26' },
  'sha2-224': { digest: 'sha224', bytes: 28, oid: `${sha2}4` },
  'sha2-256': { digest: 'sha256', bytes: 32, oid: `${sha2}1` },
  'sha2-384': { digest: 'sha384', bytes: 48, oid: `${sha2}2` },
  'sha2-512': { digest: 'sha512', bytes: 64, oid: `${sha2}3` },
  'sha3-224': { digest: 'sha3-224', bytes: 28, oid: `${sha2}7` },
  'sha3-256': { digest: 'sha3-256', bytes: 32, oid: `${sha2}8` },
  'sha3-384': { digest: 'sha3-384', bytes: 48, oid: `${sha2}9` },
  'sha3-512': { digest: 'sha3-512', bytes: 64, oid: `${sha2}10` },
};

/** @throws Refusal 400 */
export function hashOf(name: string): Hash {
  const found = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  if (found === undefined) throw refuse(`invalid hash algorithm ${JSON.stringify(name)}`);
  return found;
}

/** The caller's bytes are signed as they are: PKCS#1 v1.5 without the name of a hash. */
export const noHash: Hash = { digest: '', bytes: 0, oid: '' };

export interface SigningOptions {
  readonly hash: Hash;
  /** The input is a digest already. */
  readonly isPrehashed: boolean;
  /** `pss`, `pkcs1v15` or nothing. */
  readonly scheme: string;
  readonly marshaling: 'asn1' | 'jws';
  /** Bytes. */
  readonly saltLength: 'auto' | 'hash' | number;
}
