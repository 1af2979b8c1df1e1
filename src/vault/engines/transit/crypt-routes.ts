import type { Context, Route } from '../../core/backend.ts';
import { type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { fromBase64 } from './base64.ts';
import { oneOrBatch } from './batch.ts';
import { open, seal } from './cipher.ts';
import { requireType } from './key-types.ts';
import { currentKey, newKey, newVersion, putKey, readKey, type TransitKey } from './store.ts';

const item: Schema = {
  plaintext: 'string',
  ciphertext: 'string',
  context: 'string',
  nonce: 'string',
  associated_data: 'string',
  key_version: 'int',
};

const fields: Schema = { ...item, type: 'string', partial_failure_response_code: 'int', bits: 'int' };

/** Encryption, decryption and moving a ciphertext to the newest version. */
export function cryptRoutes(): Route[] {
  return [
    {
      path: 'encrypt/:name',
      fields,
      // Encrypting with a key that is not there makes it: that takes the `create` capability.
      exists: ({ store, fields: sent }) => readKey(store, textOf(sent, 'name')) !== undefined,
      operations: { update: encrypt, create: encrypt },
    },
    { path: 'decrypt/:name', fields, operations: { update: decrypt } },
    { path: 'rewrap/:name', fields, operations: { update: rewrap } },
    { path: 'datakey/:form/:name', fields, operations: { update: dataKey } },
  ];
}

const missing = 'encryption key not found';
const nameOf = (context: Context): string => textOf(context.fields, 'name');
const associatedOf = (sent: Fields): Buffer => fromBase64(textOf(sent, 'associated_data'));

async function encrypt(context: Context): Promise<Result> {
  const known = readKey(context.store, nameOf(context));
  const key = known === undefined ? await upsert(context) : await currentKey(context, known.name, missing);
  return oneOrBatch(context, { schema: item, failed: {}, isStrict: true }, (sent) => {
    if (!('plaintext' in sent)) throw refuse('missing plaintext to encrypt');
    return sealed(context, key, fromBase64(textOf(sent, 'plaintext')), sent);
  });
}

function sealed(context: Context, key: TransitKey, plain: Buffer, sent: Fields): Fields {
  const { ciphertext, version } = seal(key, plain, {
    version: numberOf(sent, 'key_version'),
    associated: associatedOf(sent),
    random: context.random,
  });
  return { ciphertext, key_version: version };
}

async function upsert(context: Context): Promise<TransitKey> {
  const type = requireType(textOf(context.fields, 'type') || 'aes256-gcm96');
  if (!type.encrypts) throw refuse(`key type ${type.name} not supported for this operation`);
  const key = newKey(nameOf(context), type, await newVersion(context, type));
  putKey(context.store, key);
  return key;
}

function requiredKey(context: Context): TransitKey {
  const key = readKey(context.store, nameOf(context));
  if (key === undefined) throw refuse(missing);
  return key;
}

function decrypt(context: Context): Promise<Result> {
  const key = requiredKey(context);
  return oneOrBatch(context, { schema: item, failed: { plaintext: '' }, isStrict: true }, (sent) => {
    const ciphertext = textOf(sent, 'ciphertext');
    if (ciphertext === '') throw refuse('missing ciphertext to decrypt');
    return { plaintext: open(key, ciphertext, associatedOf(sent)).toString('base64') };
  });
}

async function rewrap(context: Context): Promise<Result> {
  const key = await currentKey(context, nameOf(context), missing);
  return oneOrBatch(context, { schema: item, failed: {}, isStrict: true }, (sent) => {
    const ciphertext = textOf(sent, 'ciphertext');
    if (ciphertext === '') throw refuse('missing ciphertext to decrypt');
    return sealed(context, key, open(key, ciphertext, associatedOf(sent)), sent);
  });
}

async function dataKey(context: Context): Promise<Result> {
  const form = textOf(context.fields, 'form');
  if (form !== 'plaintext' && form !== 'wrapped') {
    throw refuse("Invalid path, must be 'plaintext' or 'wrapped'");
  }
  const bits = numberOf(context.fields, 'bits', 256);
  if (![128, 256, 512].includes(bits)) throw refuse('invalid bit length');
  const key = await currentKey(context, nameOf(context), missing);
  const plain = context.random(bits / 8);
  const plaintext = form === 'plaintext' ? { plaintext: plain.toString('base64') } : {};
  return { data: { ...sealed(context, key, plain, context.fields), ...plaintext } };
}
