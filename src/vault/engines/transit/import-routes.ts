import {
  constants,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
} from 'node:crypto';
import { generateKeyPair, keyTypeOf, publicKeyPem } from '../../../x509/keys.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuseWrapped } from '../../core/refusal.ts';
import { fromBase64 } from './base64.ts';
import { requireType, type TransitType } from './key-types.ts';
import { newKey, putKey, readKey, versionOf, withVersion } from './store.ts';

const schema: Schema = {
  ciphertext: 'string',
  hash_function: 'string',
  type: 'string',
  allow_rotation: 'bool',
  exportable: 'bool',
  allow_plaintext_backup: 'bool',
  auto_rotate_period: 'seconds',
  version: 'int',
};

/** RSA-4096: what the wrapping key's ciphertext has for its first bytes. */
const wrappedKeyBytes = 512;

const digests: Readonly<Record<string, string>> = {
  SHA1: 'sha1',
  SHA224: 'sha224',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};

type Wrapping = (context: Context) => Promise<KeyObject>;

/** Keys made elsewhere: wrapped with an AES key (RFC 5649), which is wrapped with this mount's RSA key. */
export function importRoutes(): Route[] {
  const wrapping = createWrapping();
  return [
    {
      path: 'wrapping_key',
      operations: {
        read: async (context) => ({ data: { public_key: publicKeyPem(await wrapping(context)) } }),
      },
    },
    {
      path: 'keys/:name/import',
      fields: schema,
      operations: { update: (context) => importKey(context, wrapping) },
    },
    {
      path: 'keys/:name/import_version',
      fields: schema,
      operations: { update: (context) => importVersion(context, wrapping) },
    },
  ];
}

/** The mount's wrapping key, made when it is first asked for: once, also when two ask at the same time. */
function createWrapping(): Wrapping {
  let making: ReturnType<typeof generateKeyPair> | undefined;
  return async ({ store }) => {
    const stored = store.get<string>('wrapping-key');
    if (stored !== undefined) {
      return createPrivateKey({ key: Buffer.from(stored, 'base64'), format: 'der', type: 'pkcs8' });
    }
    making ??= generateKeyPair('rsa-4096');
    const { privateKey } = await making;
    store.put('wrapping-key', privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'));
    return privateKey;
  };
}

async function importKey(context: Context, wrapping: Wrapping): Promise<undefined> {
  const { store, fields } = context;
  const name = textOf(fields, 'name');
  const type = requireType(textOf(fields, 'type') || 'aes256-gcm96');
  const period = numberOf(fields, 'auto_rotate_period');
  const allowRotation = booleanOf(fields, 'allow_rotation');
  if (period > 0 && !allowRotation) {
    throw refuseWrapped('allow_rotation must be set to true if auto-rotation is enabled', 500, 'bad-field');
  }
  if (readKey(store, name) !== undefined) {
    throw refuseWrapped(
      'the import path cannot be used with an existing key; use import-version to rotate an existing imported key',
      500,
      'key-exists',
    );
  }
  const version = versionOf(context, await unwrapped(context, wrapping, type));
  putKey(
    store,
    newKey(name, type, version, {
      imported: true,
      allowRotation,
      autoRotatePeriod: period,
      exportable: booleanOf(fields, 'exportable'),
      allowPlaintextBackup: booleanOf(fields, 'allow_plaintext_backup'),
    }),
  );
}

async function importVersion(context: Context, wrapping: Wrapping): Promise<undefined> {
  const { store, fields } = context;
  const name = textOf(fields, 'name');
  const key = readKey(store, name);
  if (key === undefined)
    throw refuseWrapped(
      `no key found with name ${name}; to import a new key, use the import/ endpoint`,
      500,
      'no-key',
    );
  if (!key.imported) {
    throw refuseWrapped(
      'the import_version endpoint can only be used with an imported key',
      500,
      'not-imported',
    );
  }
  putKey(
    store,
    withVersion(key, versionOf(context, await unwrapped(context, wrapping, requireType(key.type)))),
  );
}

/** The key inside, as it is stored. @throws Refusal */
async function unwrapped(context: Context, wrapping: Wrapping, type: TransitType): Promise<Buffer> {
  const { fields } = context;
  const bytes = fromBase64(textOf(fields, 'ciphertext'));
  const fail = (text: string): Error => refuseWrapped(text, 500, 'bad-import');
  if (bytes.length <= wrappedKeyBytes) throw fail('provided ciphertext is too short');
  const hash = digests[(textOf(fields, 'hash_function') || 'SHA256').toUpperCase().replace('-', '')];
  if (hash === undefined) throw fail(`unsupported hash function ${textOf(fields, 'hash_function')}`);
  const key = await wrapping(context);
  let plain: Buffer;
  try {
    const ephemeral = privateDecrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash },
      bytes.subarray(0, wrappedKeyBytes),
    );
    const decipher = createDecipheriv('id-aes256-wrap-pad', ephemeral, Buffer.from('a65959a6', 'hex'));
    plain = Buffer.concat([decipher.update(bytes.subarray(wrappedKeyBytes)), decipher.final()]);
  } catch {
    throw fail('crypto/rsa: decryption error');
  }
  return checked(plain, type, fail);
}

function checked(plain: Buffer, type: TransitType, fail: (text: string) => Error): Buffer {
  if (type.pair === undefined) {
    if (type.kind === 'hmac' ? plain.length >= 16 : plain.length === type.size) return plain;
    throw fail(`invalid key size ${plain.length} bytes for key type ${type.name}`);
  }
  let found: string | undefined;
  try {
    const key = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' });
    createPublicKey(key);
    found = keyTypeOf(key);
  } catch {
    throw fail('error parsing asymmetric key: not PKCS#8');
  }
  if (found !== type.pair) throw fail(`invalid key type: expected ${type.name}, got ${found ?? 'another'}`);
  return plain;
}
