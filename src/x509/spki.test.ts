import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyPair, type KeyType } from './keys.ts';
import { curveOf, importSpki, spkiOf } from './spki.ts';

const kinds: KeyType[] = ['ec-p256', 'ec-p384', 'ec-p521', 'ed25519', 'rsa-2048'];

describe('a public key on the wire', () => {
  test.each(kinds)(
    '%s: what is read is the key that OpenSSL reads, and is written as OpenSSL writes it',
    async (kind) => {
      const { publicKey } = await generateKeyPair(kind);
      const der = publicKey.export({ type: 'spki', format: 'der' });
      const read = importSpki(der);
      expect(read.equals(createPublicKey({ key: der, format: 'der', type: 'spki' }))).toBe(true);
      expect(read.asymmetricKeyDetails).toEqual(publicKey.asymmetricKeyDetails);
      expect(curveOf(read)).toBe(publicKey.asymmetricKeyDetails?.namedCurve);
      expect(spkiOf(read).equals(der)).toBe(true);
      expect(spkiOf(publicKey).equals(der)).toBe(true);
    },
  );

  test('a P-256 point with leading zeros in a coordinate keeps them', () => {
    for (let i = 0; ; i++) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const der = publicKey.export({ type: 'spki', format: 'der' });
      if (der[27] !== 0 && der[59] !== 0 && i < 5000) continue;
      expect(importSpki(der).equals(publicKey)).toBe(true);
      break;
    }
  });

  test('a P-256 point that is not on the curve is refused', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = publicKey.export({ type: 'spki', format: 'der' });
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    expect(() => importSpki(der)).toThrow();
  });

  test('a compressed point is read as the same key', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const full = publicKey.export({ type: 'spki', format: 'der' });
    const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
    const sign = 2 + ((full.at(-1) ?? 0) & 1);
    const compressed = Buffer.concat([head, Buffer.from([sign]), full.subarray(27, 59)]);
    const read = importSpki(compressed);
    expect(read.equals(publicKey)).toBe(true);
  });
});
