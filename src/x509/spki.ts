import { createPublicKey, type KeyObject } from 'node:crypto';
import { MeshrootError } from '../lib/errors.ts';

export interface ImportedKey {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo as OpenSSL would write it. */
  readonly publicKeyDer: Buffer;
}

/** All that stands before the point of an uncompressed EC key (RFC 5480, 2): only the canonical form has these bytes. */
const curves = [
  {
    crv: 'P-256',
    size: 32,
    head: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
  },
  { crv: 'P-384', size: 48, head: Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex') },
] as const;

/**
 * A public key from its SubjectPublicKeyInfo. For the curves of meshes the two numbers are handed to OpenSSL directly,
 * which checks that they are a point of the curve: its decoders take twice as long, and writing the key out again as long
 * as reading it.
 * @throws MeshrootError `bad-der`
 */
export function importSpki(der: Buffer): ImportedKey {
  try {
    const curve = curves.find(
      ({ head, size }) => der.length === head.length + 2 * size && der.indexOf(head) === 0,
    );
    if (curve === undefined) {
      const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
      return { publicKey, publicKeyDer: publicKey.export({ type: 'spki', format: 'der' }) };
    }
    const { crv, head, size } = curve;
    const x = der.toString('base64url', head.length, head.length + size);
    const y = der.toString('base64url', head.length + size);
    return {
      publicKey: createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' }),
      publicKeyDer: der,
    };
  } catch {
    throw new MeshrootError('bad-der', 'its public key is not of a kind that is known here');
  }
}
