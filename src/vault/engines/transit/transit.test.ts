import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { generateKeyPair } from '../../../x509/keys.ts';
import { createMemoryPhysical } from '../../core/physical-memory.ts';
import type { VaultCore } from '../../core/vault-core.ts';
import { call, openTestCore, TestClock } from '../../test-core.ts';

type Data = Record<string, unknown>;
const dataOf = (body: unknown): Data => (body as { data: Data }).data;

async function open(clock = new TestClock()): Promise<VaultCore> {
  const core = await openTestCore({ clock });
  await call(core, 'update', 'sys/mounts/t', { type: 'transit' });
  return core;
}

/** As a client wraps a key: AES-KWP (RFC 5649) under a fresh key, that one by RSA-OAEP. */
async function wrap(core: VaultCore, key: Buffer): Promise<string> {
  const { body } = await call(core, 'read', 't/wrapping_key');
  const ephemeral = randomBytes(32);
  const wrapping = createPublicKey(String(dataOf(body).public_key));
  const cipher = createCipheriv('id-aes256-wrap-pad', ephemeral, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([
    publicEncrypt(
      { key: wrapping, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      ephemeral,
    ),
    cipher.update(key),
    cipher.final(),
  ]).toString('base64');
}

test('an imported key is the one that was wrapped, and is rotated only by its owner', async () => {
  const core = await open();
  const key = randomBytes(32);
  const imported = await call(core, 'update', 't/keys/k/import', {
    ciphertext: await wrap(core, key),
    type: 'aes256-gcm96',
    exportable: true,
  });
  expect(imported.status).toBe(204);
  const { body } = await call(core, 'read', 't/export/encryption-key/k');
  expect(dataOf(body).keys).toEqual({ 1: key.toString('base64') });
  const rotated = await call(core, 'update', 't/keys/k/rotate');
  expect(rotated).toMatchObject({ status: 500 });
  await call(core, 'update', 't/keys/k/import_version', { ciphertext: await wrap(core, randomBytes(32)) });
  expect(dataOf((await call(core, 'read', 't/keys/k')).body)).toMatchObject({
    latest_version: 2,
    imported_key: true,
  });
  await core.close();
});

test('an imported pair signs; a key of another type is refused', async () => {
  const core = await open();
  const pair = await generateKeyPair('ec-p256');
  const der = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const ciphertext = await wrap(core, der);
  const wrong = await call(core, 'update', 't/keys/k/import', { ciphertext, type: 'ed25519' });
  expect(wrong).toEqual({
    status: 500,
    body: {
      errors: [
        '1 error occurred:\n\t* error importing key: invalid key type: expected ed25519, got ec-p256\n\n',
      ],
    },
  });
  await call(core, 'update', 't/keys/k/import', { ciphertext, type: 'ecdsa-p256' });
  const { body } = await call(core, 'update', 't/sign/k', { input: 'aGk=' });
  expect(dataOf(body).signature).toMatch(/^vault:v1:/);
  await core.close();
});

test('a key with a period gets its next version when it is used after it', async () => {
  const clock = new TestClock();
  const core = await open(clock);
  await call(core, 'update', 't/keys/k', { auto_rotate_period: '1h' });
  clock.time += 3_600_000;
  const { body } = await call(core, 'update', 't/encrypt/k', { plaintext: 'aGk=' });
  expect(dataOf(body).key_version).toBe(2);
  await core.close();
});

test('no secret of a key is in an answer, nor in the store in clear', async () => {
  const physical = createMemoryPhysical();
  const core = await openTestCore({ physical });
  await call(core, 'update', 'sys/mounts/t', { type: 'transit' });
  const made = await call(core, 'update', 't/keys/k', { exportable: true });
  const { body } = await call(core, 'read', 't/export/encryption-key/k');
  const secret = (dataOf(body).keys as Record<string, string>)[1] ?? 'none';
  expect(secret).toHaveLength(44);
  expect(JSON.stringify([made.body, (await call(core, 'read', 't/keys/k')).body])).not.toContain(secret);
  const stored = [...physical.keys('')].map((key) => Buffer.from(physical.get(key) ?? []).toString('latin1'));
  expect(stored.join()).not.toContain(secret);
  await core.close();
});

test('two that ask for the wrapping key at once get the same', async () => {
  const core = await open();
  const [a, b] = await Promise.all([
    call(core, 'read', 't/wrapping_key'),
    call(core, 'read', 't/wrapping_key'),
  ]);
  expect(dataOf(a?.body)).toEqual(dataOf(b?.body));
  expect(dataOf((await call(core, 'read', 't/wrapping_key')).body)).toEqual(dataOf(a?.body));
  await core.close();
});
