import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { generateKeyPair, keyTypeOf, publicKeyPem, samePublicKey } from '../../../x509/keys.ts';
import { pemBlocks } from '../../../x509/pem.ts';
import { importSpki, spkiOf } from '../../../x509/spki.ts';
import type { Context, Route } from '../../core/backend.ts';
import { fromBase64 } from '../../core/base64.ts';
import { booleanOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import { hmacSizes, requireType, type TransitType } from './key-types.ts';
import {
  type KeyVersion,
  newKey,
  privateKeyOf,
  publicKeyOf,
  putKey,
  readKey,
  refuseDeleted,
  type TransitKey,
  versionOf,
  withVersion,
} from './store.ts';
import { oaepDigest, unwrapKey } from './wrapped-key.ts';

const schema: Schema = {
  ciphertext: 'string',
  public_key: 'string',
  hash_function: 'string',
  type: 'string',
  derived: 'bool',
  allow_rotation: 'bool',
  exportable: 'bool',
  allow_plaintext_backup: 'bool',
  auto_rotate_period: 'seconds',
  version: 'int',
};

/** RSA-4096: what the wrapping key's ciphertext has for its first bytes. */
const wrappedKeyBytes = 512;

type Wrapping = (context: Pick<Context, 'store'>) => Promise<KeyObject>;

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

/** Upstream answers most of what is wrong with an import by 500. */
const failed = (text: string): Refusal => refuseWrapped(text, 500, 'bad-import');

async function importKey(context: Context, wrapping: Wrapping): Promise<undefined> {
  const { store, fields, data } = context;
  const name = textOf(fields, 'name');
  if ('convergent_encryption' in data) {
    throw failed('import cannot be used on keys with convergent encryption enabled');
  }
  const period = numberOf(fields, 'auto_rotate_period');
  const allowRotation = booleanOf(fields, 'allow_rotation');
  if (period > 0 && !allowRotation) {
    throw failed('allow_rotation must be set to true if auto-rotation is enabled');
  }
  const type = requireType(textOf(fields, 'type') || 'aes256-gcm96');
  if (readKey(store, name) !== undefined) {
    throw failed(
      'the import path cannot be used with an existing key; use import-version to rotate an existing imported key',
    );
  }
  const derived = booleanOf(fields, 'derived');
  if (derived && type.kind !== 'aead') {
    throw failed(`derivation is not supported for imported keys of type ${type.name}`);
  }
  const version = await broughtIn(context, wrapping, type);
  const key = newKey(name, type, version, {
    imported: true,
    derived,
    allowRotation,
    autoRotatePeriod: period,
    exportable: booleanOf(fields, 'exportable'),
    allowPlaintextBackup: booleanOf(fields, 'allow_plaintext_backup'),
  });
  putKey(store, key);
}

async function importVersion(context: Context, wrapping: Wrapping): Promise<undefined> {
  const { store, fields } = context;
  const name = textOf(fields, 'name');
  const key = readKey(store, name);
  if (key === undefined) {
    throw failed(`no key found with name ${name}; to import a new key, use the import/ endpoint`);
  }
  if (!key.imported) throw failed('the import_version endpoint can only be used with an imported key');
  const version = await broughtIn(context, wrapping, requireType(key.type));
  refuseDeleted(key);
  putKey(store, placed(key, version, 'version' in fields ? numberOf(fields, 'version') : undefined));
}

/** On top of the others; a private key may also go where its public key is already. @throws Refusal 500 */
function placed(key: TransitKey, version: KeyVersion, number: number | undefined): TransitKey {
  const target = number ?? key.latest;
  const before = key.versions[target];
  if (number === undefined && (before === undefined || !completes(before, version))) {
    return withVersion(key, version);
  }
  if (before === undefined) throw failed('no such key version');
  if (before.publicKey === undefined) throw failed('private key imported, key version cannot be updated');
  if (version.publicKey !== undefined) {
    throw failed('cannot add a public key to a key version that already has a public key set');
  }
  if (!completes(before, version)) throw failed('cannot import key, key pair does not match');
  return { ...key, versions: { ...key.versions, [target]: completed(before, version) } };
}

const completes = (before: KeyVersion, version: KeyVersion): boolean =>
  before.publicKey !== undefined &&
  privateKeyOf(version) !== undefined &&
  samePublicKey(publicKeyOf(before), publicKeyOf(version));

const completed = ({ publicKey: _, ...before }: KeyVersion, { secret }: KeyVersion): KeyVersion => ({
  ...before,
  secret,
});

/** What the call brings: a wrapped key, or a public one in clear. @throws Refusal */
async function broughtIn(context: Context, wrapping: Wrapping, type: TransitType): Promise<KeyVersion> {
  if ('ciphertext' in context.fields) {
    return versionOf(context, checked(await unwrapped(context, wrapping), type));
  }
  if (type.pair === undefined) throw failed('provided type does not support public_key import');
  const publicKey = parsedPublicKey(textOf(context.fields, 'public_key'));
  const found = keyTypeOf(publicKey);
  if (found !== type.pair) throw failed(`error importing key: ${mismatch(type, found)}`);
  return { ...versionOf(context, Buffer.alloc(0)), publicKey: spkiOf(publicKey).toString('base64') };
}

function parsedPublicKey(pem: string): KeyObject {
  let der: Buffer | undefined;
  try {
    der = pemBlocks(pem)[0]?.der;
  } catch {
    // told below
  }
  if (der === undefined) throw failed('error importing key: error parsing public key: not in PEM format');
  try {
    return importSpki(der);
  } catch {
    throw failed('error importing key: error parsing public key: not of a kind that is known here');
  }
}

const mismatch = ({ name, label, kind }: TransitType, found: string | undefined): string =>
  kind === 'ecdsa' && found?.startsWith('ec-p') === true
    ? `invalid curve: expected ${label}, got P-${found.slice('ec-p'.length)}`
    : `invalid key type: expected ${name}, got ${found ?? 'another'}`;

/** The key inside. @throws Refusal */
async function unwrapped({ store, fields }: Context, wrapping: Wrapping): Promise<Buffer> {
  const name = textOf(fields, 'hash_function', 'SHA256').replace('-', '');
  const hash = oaepDigest(name);
  if (hash === undefined) throw refuse(`unknown hash function: ${name}`);
  const bytes = fromBase64(textOf(fields, 'ciphertext'));
  if (bytes.length <= wrappedKeyBytes) throw failed('provided ciphertext is too short');
  const key = await wrapping({ store });
  try {
    return unwrapKey(key, bytes, hash, wrappedKeyBytes);
  } catch {
    throw failed('crypto/rsa: decryption error');
  }
}

/** The bytes as they are stored. @throws Refusal 500 */
function checked(plain: Buffer, type: TransitType): Buffer {
  const { least, most } = hmacSizes;
  if (type.pair === undefined) {
    const isRight =
      type.kind === 'hmac' ? plain.length >= least && plain.length <= most : plain.length === type.size;
    if (isRight) return plain;
    throw failed(`error importing key: invalid key size ${plain.length} bytes for key type ${type.name}`);
  }
  let found: string | undefined;
  try {
    const key = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' });
    createPublicKey(key);
    found = keyTypeOf(key);
  } catch {
    throw failed('error importing key: error parsing asymmetric key: not PKCS#8');
  }
  if (found !== type.pair) throw failed(`error importing key: ${mismatch(type, found)}`);
  return plain;
}
