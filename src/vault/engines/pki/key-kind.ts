import type { KeyType } from '../../../x509/keys.ts';
import { refuse } from '../../core/refusal.ts';

/** A role's idea of a key: `rsa` 2048 with SHA-256, and so on. */
export interface KeyKind {
  readonly type: string;
  readonly bits: number;
  readonly signatureBits: number;
}

const curveBits = [224, 256, 384, 521];
const hashBits: Readonly<Record<number, number>> = { 224: 256, 256: 256, 384: 384, 521: 512 };

/** Fills in what was left at 0. @throws Refusal 400 */
export function keyKind(type: string, bits: number, signatureBits: number): KeyKind {
  switch (type) {
    case 'rsa':
      return rsaKind(bits === 0 ? 2048 : bits, signatureBits);
    case 'ec': {
      const wanted = bits === 0 ? 256 : bits;
      if (!curveBits.includes(wanted)) throw refuse(`unsupported bit length for EC key: ${wanted}`);
      return { type, bits: wanted, signatureBits: hashBits[wanted] ?? 256 };
    }
    case 'ed25519':
    case 'any':
      return { type, bits: 0, signatureBits: type === 'any' ? hashOf(signatureBits) : 0 };
    default:
      throw refuse(`unknown key type ${type}`);
  }
}

function rsaKind(bits: number, signatureBits: number): KeyKind {
  if (bits < 2048) throw refuse(`RSA keys < 2048 bits are unsafe and not supported: got ${bits}`);
  if (![2048, 3072, 4096, 8192].includes(bits)) throw refuse(`unsupported bit length for RSA key: ${bits}`);
  return { type: 'rsa', bits, signatureBits: hashOf(signatureBits) };
}

function hashOf(bits: number): number {
  if (bits === 0) return 256;
  if ([256, 384, 512].includes(bits)) return bits;
  throw refuse(`unsupported hash signature algorithm: ${bits}`);
}

const generated: Readonly<Record<string, KeyType>> = {
  'rsa-2048': 'rsa-2048',
  'rsa-3072': 'rsa-3072',
  'rsa-4096': 'rsa-4096',
  'ec-256': 'ec-p256',
  'ec-384': 'ec-p384',
  'ec-521': 'ec-p521',
  'ed25519-0': 'ed25519',
};

/** What to generate for it; P-224 and RSA-8192 are known as words only. @throws Refusal 400 */
export function generatedType({ type, bits }: KeyKind): KeyType {
  const found = generated[`${type}-${bits}`];
  if (found === undefined) throw refuse(`keys of type ${type} with ${bits} bits are not made here`);
  return found;
}
