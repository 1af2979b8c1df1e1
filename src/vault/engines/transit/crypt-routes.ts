import { isRecord } from '../../../lib/records.ts';
import type { Context, Route } from '../../core/backend.ts';
import { fromBase64 } from '../../core/base64.ts';
import { booleanOf, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { oneOrBatch } from './batch.ts';
import { type CallKeys, open, seal } from './cipher.ts';
import { contextBytes } from './derive.ts';
import { requireType } from './key-types.ts';
import { currentKey, newKey, newVersion, putKey, readKey, readKeysConfig, type TransitKey } from './store.ts';

const item: Schema = {
  plaintext: 'string',
  ciphertext: 'string',
  context: 'string',
  associated_data: 'string',
  key_version: 'int',
};

const fields: Schema = {
  ...item,
  batch_input: 'any',
  nonce: 'any',
  type: 'string',
  convergent_encryption: 'bool',
  partial_failure_response_code: 'int',
  bits: 'int',
};

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
const callKeys = (sent: Fields): CallKeys => ({
  associated: fromBase64(textOf(sent, 'associated_data')),
  context: contextBytes(sent),
});

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
    ...callKeys(sent),
    version: numberOf(sent, 'key_version'),
    random: context.random,
  });
  return { ciphertext, key_version: version };
}

/** The key of a name that is not there yet: derived when the call brings a context. @throws Refusal 400 */
async function upsert(context: Context): Promise<TransitKey> {
  const { data } = context;
  const type = requireType(textOf(context.fields, 'type') || 'aes256-gcm96');
  if (type.kind !== 'aead') throw refuse(`key type ${type.name} not supported for this operation`);
  const batch: readonly unknown[] = Array.isArray(data.batch_input) ? data.batch_input : [data];
  const contexts = batch.filter(
    (one) => isRecord(one) && typeof one.context === 'string' && one.context !== '',
  );
  if (contexts.length > 0 && contexts.length < batch.length) {
    throw refuse('context should be set either in all the request blocks or in none');
  }
  const derived = contexts.length > 0;
  const convergent = booleanOf(context.fields, 'convergent_encryption');
  if (convergent && !derived) {
    throw refuse('convergent encryption requires derivation to be enabled, so context is required');
  }
  if (readKeysConfig(context.store).disable_upsert) throw refuse(missing);
  const key = newKey(nameOf(context), type, await newVersion(context, type), { derived, convergent });
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
    return { plaintext: open(key, ciphertext, callKeys(sent)).toString('base64') };
  });
}

async function rewrap(context: Context): Promise<Result> {
  const key = await currentKey(context, nameOf(context), missing);
  return oneOrBatch(context, { schema: item, failed: {}, isStrict: true }, (sent) => {
    const ciphertext = textOf(sent, 'ciphertext');
    if (ciphertext === '') throw refuse('missing ciphertext to decrypt');
    return sealed(context, key, open(key, ciphertext, callKeys(sent)), sent);
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
