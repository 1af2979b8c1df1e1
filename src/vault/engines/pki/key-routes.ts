import { messageOf } from '../../../lib/errors.ts';
import { keyIdOf } from '../../../x509/key-id.ts';
import { generateKeyPair, parsePrivateKey } from '../../../x509/keys.ts';
import type { Context, Route } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { colonHex, privateKeyFields, withWarnings } from './format.ts';
import { findKey, importKey, isName, keyPairOf, newKeyName, noKeyText } from './issuers.ts';
import { generatedType, keyKind } from './key-kind.ts';
import { allIssuers, allKeys, putDefaultKeyId, readDefaultKeyId, type StoredKey } from './store.ts';

/** Keys: made, imported, named and deleted, and never shown again after an exported one was made. */
export function keyRoutes(): Route[] {
  const generate = { key_name: 'string', key_type: 'string', key_bits: 'int' } as const;
  return [
    { path: 'keys', operations: { list } },
    {
      path: 'keys/generate/:exported',
      fields: generate,
      operations: { update: generateKey },
    },
    {
      path: 'keys/import',
      fields: { pem_bundle: 'string', key_name: 'string' },
      operations: { update: importOne },
    },
    {
      path: 'key/:reference',
      fields: { key_name: 'string' },
      operations: { read, update: rename, delete: remove },
    },
  ];
}

function list({ store }: Context): Result | undefined {
  const found = allKeys(store);
  if (found.length === 0) return undefined;
  const info = found.map(({ id, name }) => [
    id,
    { is_default: id === readDefaultKeyId(store), key_name: name },
  ]);
  return { data: { keys: found.map(({ id }) => id), key_info: Object.fromEntries(info) } };
}

const fieldsOf = (key: StoredKey): { key_id: string; key_name: string; key_type: string } => ({
  key_id: key.id,
  key_name: key.name,
  key_type: keyPairOf(key).privateKey.asymmetricKeyType ?? '',
});

async function generateKey(context: Context): Promise<Result> {
  const { fields, store } = context;
  const how = textOf(fields, 'exported');
  if (how !== 'internal' && how !== 'exported') {
    throw refuse('the "exported" path parameter must be "internal" or "exported"');
  }
  const name = newKeyName(store, fields);
  const kind = keyKind(textOf(fields, 'key_type') || 'rsa', numberOf(fields, 'key_bits'), 0);
  const pair = await generateKeyPair(generatedType(kind));
  const { key } = importKey(context, pair, name);
  const secret = how === 'exported' ? privateKeyFields(pair.privateKey, fields, 'pem') : {};
  return {
    data: { ...fieldsOf(key), ...('private_key' in secret ? { private_key: secret.private_key } : {}) },
  };
}

function importOne(context: Context): Result {
  const { fields, store } = context;
  const pem = textOf(fields, 'pem_bundle');
  const name = newKeyName(store, fields);
  if (pem === '') throw refuse("'pem_bundle' parameter was empty");
  if (pem.length < 64) {
    throw refuse(
      'provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file',
    );
  }
  try {
    const { key, isNew } = importKey(context, parsePrivateKey(pem), name);
    return {
      data: fieldsOf(key),
      ...withWarnings(isNew ? [] : ['Key already imported, use key/ endpoint to update name.']),
    };
  } catch (error) {
    throw refuse(
      `only a single private key is allowed within the pem_bundle during importing: ${messageOf(error)}`,
    );
  }
}

function required({ store, fields }: Context): StoredKey {
  const reference = textOf(fields, 'reference');
  const key = findKey(store, reference);
  if (key === undefined) throw refuseWrapped(noKeyText(reference), 500, 'pki-no-key');
  return key;
}

function read(context: Context): Result {
  const key = required(context);
  return {
    data: { ...fieldsOf(key), subject_key_id: colonHex(keyIdOf(keyPairOf(key).publicKey).toString('hex')) },
  };
}

function rename(context: Context): Result {
  const before = required(context);
  const name = textOf(context.fields, 'key_name');
  if (name !== '' && !isName(name)) throw refuse('new key name outside of valid character limits');
  const key = { ...before, name };
  context.store.put(`key/${key.id}`, key);
  return {
    data: fieldsOf(key),
    ...withWarnings(
      name === ''
        ? [`Name successfully deleted, you will now need to reference this key by it's Id: ${key.id}`]
        : [],
    ),
  };
}

function remove({ store, fields }: Context): Result | undefined {
  const reference = textOf(fields, 'reference');
  const key = findKey(store, reference);
  if (key === undefined) return undefined;
  const user = allIssuers(store).find(({ keyId }) => keyId === key.id);
  if (user !== undefined) throw refuse(`Failed to Delete Key.  Key in Use by Issuer: ${user.id}`);
  store.delete(`key/${key.id}`);
  if (readDefaultKeyId(store) !== key.id) return undefined;
  putDefaultKeyId(store, '');
  const text = `Deleted key ${key.id} (via key_ref ${reference}); this was configured as the default key. Operations without an explicit key will not work until a new default is configured.`;
  return { data: null, warnings: [text] };
}
