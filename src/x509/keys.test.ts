import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { generateKeyPair, type KeyType, keyTypes, parsePrivateKey, privateKeyPem } from './keys.ts';

describe('private keys', () => {
  test.each(keyTypes.filter((type) => !/rsa-[34]/.test(type)))(
    'of type %s survive both PEM forms',
    async (type: KeyType) => {
      const key = await generateKeyPair(type);
      for (const format of ['pkcs8', 'traditional'] as const) {
        const read = parsePrivateKey(privateKeyPem(key.privateKey, format).reveal());
        expect(read.type).toBe(type);
        expect(read.privateKey.equals(key.privateKey)).toBe(true);
        expect(read.publicKey.equals(key.publicKey)).toBe(true);
      }
    },
  );

  test('are found after an EC PARAMETERS block', async () => {
    const { privateKey } = await generateKeyPair('ec-p256');
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    expect(parsePrivateKey(parameters + privateKeyPem(privateKey, 'traditional').reveal()).type).toBe(
      'ec-p256',
    );
  });

  test('are not shown', async () => {
    const { privateKey } = await generateKeyPair('ec-p256');
    expect(`${privateKeyPem(privateKey)}`).toBe('(hidden)');
  });

  test.each([
    ['nothing', 'no private key block was found'],
    [
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      'the PRIVATE KEY block does not hold a key',
    ],
    [
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
      'the private key is encrypted',
    ],
    [
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      'the private key is encrypted',
    ],
    ['-----BEGIN PRIVATE KEY-----\nAAAA', 'not PEM: a block is cut off or has no proper BEGIN and END lines'],
  ])('%j is refused', (text, message) => {
    expect(() => parsePrivateKey(text)).toThrow(
      expect.objectContaining({ code: 'bad-private-key', message }),
    );
  });

  test('of a kind that no mesh uses are refused', (context) => {
    try {
      const pem = execFileSync('openssl', ['genpkey', '-algorithm', 'X25519'], { encoding: 'utf8' });
      expect(() => parsePrivateKey(pem)).toThrow('the key is neither RSA, P-256, P-384, P-521 nor Ed25519');
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') context.skip('openssl is not installed');
      throw error;
    }
  });
});
