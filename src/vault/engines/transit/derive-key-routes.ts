import { createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { keyTypeOf } from '../../../x509/keys.ts';
import type { Context, Route } from '../../core/backend.ts';
import { numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import { requireType } from './key-types.ts';
import {
  newKey,
  privateKeyOf,
  putKey,
  readKey,
  refuseDeleted,
  type TransitKey,
  versionOf,
  withVersion,
} from './store.ts';

const fields: Schema = {
  key_derivation_algorithm: 'string',
  peer_public_key: 'string',
  base_key_name: 'string',
  base_key_version: 'int',
  derived_key_type: 'string',
};

/** A key that two parties agree on: ECDH of a key of ours with a public key of theirs, then HKDF with SHA-256. */
export const deriveKeyRoutes = (): Route[] => [
  { path: 'derive-key/:name', fields, operations: { update: deriveKey } },
];

const failed = (text: string): Refusal => refuseWrapped(text, 500, 'derive-key');

function deriveKey(context: Context): undefined {
  const { store, fields: sent } = context;
  const algorithm = textOf(sent, 'key_derivation_algorithm', 'ecdh');
  if (algorithm !== 'ecdh') throw refuse(`key derivation algorithm ${algorithm} not supported`);
  const peer = textOf(sent, 'peer_public_key');
  if (peer === '') throw refuse('peer public key not provided');
  const typeName = textOf(sent, 'derived_key_type', 'aes256-gcm96');
  const type = requireType(typeName);
  if (type.kind !== 'aead') throw refuse(`unknown key type ${typeName}`);
  const base = readKey(store, textOf(sent, 'base_key_name'));
  if (base === undefined) throw refuse('specified base key not found');
  const secret = agreed(base, numberOf(sent, 'base_key_version'), peer);
  const none = Buffer.alloc(0);
  const version = versionOf(context, Buffer.from(hkdfSync('sha256', secret, none, none, type.size)));
  const name = textOf(sent, 'name');
  const known = readKey(store, name);
  if (known === undefined) {
    putKey(store, newKey(name, type, version, { imported: true, allowRotation: false }));
    return;
  }
  refuseDeleted(known);
  if (known.type !== type.name) throw failed(`the key ${name} is of type ${known.type}`);
  putKey(store, withVersion(known, version));
}

/** @throws Refusal */
function agreed(base: TransitKey, asked: number, peer: string): Buffer {
  const { kind, pair } = requireType(base.type);
  if (kind !== 'ecdsa') throw refuse(`base key type ${base.type} does not support key agreement`);
  const number = asked === 0 ? base.latest : asked;
  if (number < 0) throw failed('requested version of the base key is negative');
  if (number > base.latest) {
    throw failed('requested version of the base key is higher than the latest key version');
  }
  const version = base.versions[number];
  if (version === undefined) throw failed('no such key version');
  const publicKey = parsedPeer(peer);
  if (publicKey.asymmetricKeyType !== 'ec') throw failed('supplied peer public key is not an ECDSA key');
  if (keyTypeOf(publicKey) !== pair) {
    throw failed(`base private key type ${base.type} does not match peer public key curve`);
  }
  const privateKey = privateKeyOf(version);
  if (privateKey === undefined) throw failed('the base key has no private part');
  return diffieHellman({ privateKey, publicKey });
}

function parsedPeer(pem: string): KeyObject {
  try {
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('no public key');
    return createPublicKey(pem);
  } catch {
    throw failed(
      'failed to parse supplied peer public key PEM: data does not contain any valid public keys ',
    );
  }
}
