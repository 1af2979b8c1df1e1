import { constants, createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyPair } from '../../../x509/keys.ts';
import { signDigest, verifyDigest } from './raw-ecdsa.ts';
import { maxSalt, signPss, verifyPss } from './raw-pss.ts';

const message = Buffer.from('a message');
const digestOf = (name: string): Buffer => createHash(name).update(message).digest();

describe.each(['ec-p256', 'ec-p384', 'ec-p521'] as const)('ECDSA over a digest, %s', (type) => {
  // SHA-512 is longer than the order of P-256, SHA-1 shorter than any.
  test.each(['sha1', 'sha256', 'sha512'])("%s: OpenSSL verifies ours, and we OpenSSL's", async (digest) => {
    const { privateKey, publicKey } = await generateKeyPair(type);
    const hashed = digestOf(digest);
    const encoding = { dsaEncoding: 'ieee-p1363' } as const;
    const ours = await signDigest(type, privateKey, hashed);
    expect(verify(digest, message, { key: publicKey, ...encoding }, ours)).toBe(true);
    const theirs = sign(digest, message, { key: privateKey, ...encoding });
    expect(await verifyDigest(type, publicKey, hashed, theirs)).toBe(true);
    expect(await verifyDigest(type, publicKey, hashed, ours)).toBe(true);

    const other = await generateKeyPair(type);
    expect(await verifyDigest(type, other.publicKey, hashed, theirs)).toBe(false);
    expect(await verifyDigest(type, publicKey, Buffer.alloc(hashed.length), theirs)).toBe(false);
    theirs[theirs.length - 1] = (theirs.at(-1) ?? 0) ^ 1;
    expect(await verifyDigest(type, publicKey, hashed, theirs)).toBe(false);
  });

  test('nothing, zeros and numbers beyond the order are no signature', async () => {
    const { publicKey } = await generateKeyPair(type);
    const size = type === 'ec-p521' ? 132 : type === 'ec-p384' ? 96 : 64;
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(size),
      Buffer.alloc(size, 0xff),
      Buffer.alloc(size + 1, 1),
    ]) {
      expect(await verifyDigest(type, publicKey, digestOf('sha256'), bytes)).toBe(false);
    }
  });
});

test('ECDSA over a digest of zeros', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ec-p256');
  const zeros = Buffer.alloc(32);
  expect(
    await verifyDigest('ec-p256', publicKey, zeros, await signDigest('ec-p256', privateKey, zeros)),
  ).toBe(true);
});

describe('RSASSA-PSS over a digest', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING } as const;

  test.each([
    ['sha256', 32],
    ['sha384', 0],
    ['sha512', undefined],
    ['sha256', maxSalt(publicKey, 32)],
  ] as const)("%s with a salt of %s bytes: OpenSSL verifies ours, and we OpenSSL's", (digest, saltLength) => {
    const hashed = digestOf(digest);
    const o = { digest, saltLength };
    const ours = signPss(privateKey, hashed, o, randomBytes);
    const bytes = saltLength ?? maxSalt(publicKey, hashed.length);
    expect(verify(digest, message, { key: publicKey, ...pss, saltLength: bytes }, ours)).toBe(true);
    const theirs = sign(digest, message, { key: privateKey, ...pss, saltLength: bytes });
    expect(verifyPss(publicKey, hashed, theirs, o)).toBe(true);
    expect(verifyPss(publicKey, hashed, theirs, { digest, saltLength: undefined })).toBe(true);
    expect(verifyPss(publicKey, hashed, theirs, { digest, saltLength: bytes + 1 })).toBe(false);
    expect(verifyPss(publicKey, Buffer.alloc(hashed.length), theirs, o)).toBe(false);
    expect(verifyPss(publicKey, hashed, Buffer.alloc(256, 1), o)).toBe(false);
    expect(verifyPss(publicKey, hashed, Buffer.alloc(3), o)).toBe(false);
  });
});
