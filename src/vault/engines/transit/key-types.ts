import type { KeyType as PairType } from '../../../x509/keys.ts';
import { refuse } from '../../core/refusal.ts';

/** What keys of a type can do; code elsewhere receives the entry and never asks for names. */
export interface TransitType {
  readonly name: string;
  readonly kind: 'aead' | 'rsa' | 'ecdsa' | 'ed25519' | 'hmac';
  /** Undefined for symmetric keys. */
  readonly pair: PairType | undefined;
  /** Bytes of a symmetric key. */
  readonly size: number;
  /** As the API names the curve or key. */
  readonly label: string;
  readonly encrypts: boolean;
  readonly signs: boolean;
  readonly derives: boolean;
}

const symmetric = (name: string, kind: 'aead' | 'hmac', size: number): TransitType => ({
  name,
  kind,
  pair: undefined,
  size,
  label: name,
  encrypts: kind === 'aead',
  signs: false,
  derives: kind === 'aead',
});

const asymmetric = (
  name: string,
  kind: 'rsa' | 'ecdsa' | 'ed25519',
  pair: PairType,
  label: string,
): TransitType => ({
  name,
  kind,
  pair,
  size: 0,
  label,
  encrypts: kind === 'rsa',
  signs: true,
  derives: kind === 'ed25519',
});

const types: readonly TransitType[] = [
  symmetric('aes128-gcm96', 'aead', 16),
  symmetric('aes256-gcm96', 'aead', 32),
  symmetric('chacha20-poly1305', 'aead', 32),
  symmetric('hmac', 'hmac', 32),
  asymmetric('ecdsa-p256', 'ecdsa', 'ec-p256', 'P-256'),
  asymmetric('ecdsa-p384', 'ecdsa', 'ec-p384', 'P-384'),
  asymmetric('ecdsa-p521', 'ecdsa', 'ec-p521', 'P-521'),
  asymmetric('ed25519', 'ed25519', 'ed25519', 'ed25519'),
  asymmetric('rsa-2048', 'rsa', 'rsa-2048', 'rsa-2048'),
  asymmetric('rsa-3072', 'rsa', 'rsa-3072', 'rsa-3072'),
  asymmetric('rsa-4096', 'rsa', 'rsa-4096', 'rsa-4096'),
];

/** Bytes of an HMAC's key. */
export const hmacSizes = { least: 32, most: 512 } as const;

const byName = new Map(types.map((type) => [type.name, type]));

export const typeOf = (name: string): TransitType | undefined => byName.get(name);

/** @throws Refusal 400 */
export function requireType(name: string): TransitType {
  const type = byName.get(name.toLowerCase());
  if (type === undefined) throw refuse(`unknown key type ${name}`);
  return type;
}
