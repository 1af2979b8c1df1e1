import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { decryptPrivateKey, encryptPrivateKey } from './encrypted-key.ts';
import { generateKeyPair, privateKeyPem, publicKeyPem } from './keys.ts';

const passphrase = new Secret('correct horse battery staple');

test('a key under a passphrase comes back with it, and with no other', async () => {
  const key = await generateKeyPair('ec-p384');
  const pem = await encryptPrivateKey(key.privateKey, passphrase);
  expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  const back = decryptPrivateKey(pem, passphrase, 'root-key.pem');
  expect([back.type, back.publicKey.equals(key.publicKey)]).toEqual(['ec-p384', true]);
  expect(() => decryptPrivateKey(pem, new Secret('wrong'), 'root-key.pem')).toThrow(
    expect.objectContaining({
      code: 'wrong-passphrase',
      message: 'the passphrase does not open root-key.pem',
    }),
  );
});

test('OpenSSL opens it, and what OpenSSL encrypted is opened', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'encrypted-key-'));
  const [ours, theirs, word] = ['ours', 'theirs', 'word'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args);
  try {
    const key = await generateKeyPair('ec-p256');
    await writeFile(word, passphrase.reveal());
    await writeFile(ours, await encryptPrivateKey(key.privateKey, passphrase));
    const { stdout } = await openssl('pkey', '-in', ours, '-passin', `file:${word}`, '-pubout');
    expect(stdout).toBe(publicKeyPem(key.publicKey));
    await writeFile(theirs, privateKeyPem(key.privateKey).reveal());
    const again = await openssl('pkcs8', '-topk8', '-scrypt', '-in', theirs, '-passout', `file:${word}`);
    expect(decryptPrivateKey(again.stdout, passphrase, 'k').publicKey.equals(key.publicKey)).toBe(true);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a key without a passphrase is refused, with the way to protect it', async () => {
  const { privateKey } = await generateKeyPair('ec-p256');
  expect(() => decryptPrivateKey(privateKeyPem(privateKey).reveal(), passphrase, 'k.pem')).toThrow(
    expect.objectContaining({ code: 'key-not-encrypted', hint: expect.stringContaining('openssl pkcs8') }),
  );
});
