import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { generateKeyPair } from './keys.ts';
import { importSpki } from './spki.ts';

test.each(['ec-p256', 'ec-p384', 'ec-p521', 'rsa-2048', 'ed25519'] as const)(
  '%s keys are read as OpenSSL reads them',
  async (type) => {
    const { publicKey } = await generateKeyPair(type);
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const found = importSpki(der);
    expect(found.publicKey.equals(publicKey)).toBe(true);
    expect(found.publicKey.asymmetricKeyDetails).toEqual(
      createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).asymmetricKeyDetails,
    );
    expect(found.publicKeyDer.equals(der)).toBe(true);
  },
);

test('a point that is not on the curve is refused', async () => {
  const der = (await generateKeyPair('ec-p256')).publicKey.export({ type: 'spki', format: 'der' });
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
  expect(() => importSpki(der)).toThrow(
    expect.objectContaining({
      code: 'bad-der',
      message: 'its public key is not of a kind that is known here',
    }),
  );
});
