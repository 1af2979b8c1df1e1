import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { chainPem, privateText, publicText } from './key-text.ts';
import { requireType, type TransitType } from './key-types.ts';
import {
  type KeyVersion,
  publicKeyOf,
  readKey,
  refuseDeleted,
  type TransitKey,
  versionForUse,
} from './store.ts';
import { oaepDigest, wrapKey } from './wrapped-key.ts';

/** Keys on their way out: in clear, for whom that was allowed, and wrapped for another store. */
export function exportRoutes(): Route[] {
  return [
    { path: 'export/:kind/:name', operations: { read: exportKey } },
    { path: 'export/:kind/:name/:version', operations: { read: exportKey } },
    {
      path: 'byok-export/:destination/:source',
      fields: { hash: 'string' },
      operations: { read: byokExport },
    },
    {
      path: 'byok-export/:destination/:source/:version',
      fields: { hash: 'string' },
      operations: { read: byokExport },
    },
  ];
}

/** What each kind gives of a version. */
const kinds: Readonly<Record<string, (key: TransitKey, version: KeyVersion, type: TransitType) => string>> = {
  'encryption-key': (key, version, type) => ownSecret(key, version, type),
  'signing-key': (key, version, type) => ownSecret(key, version, type),
  'hmac-key': (key, version) => (key.type === 'hmac' ? version.secret : version.hmac),
  'public-key': (key, version) => publicText(key, version).trimEnd(),
  'certificate-chain': (_key, version) => chainPem(version),
};

const ownSecret = (key: TransitKey, version: KeyVersion, { pair }: TransitType): string =>
  pair === undefined ? version.secret : privateText(key, version);

function exportKey({ store, fields }: Context): Result | undefined {
  const kind = textOf(fields, 'kind');
  const write = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (write === undefined) throw refuse(`invalid export type: ${kind}`);
  const key = readKey(store, textOf(fields, 'name'));
  if (key === undefined) return undefined;
  const isPublic = kind === 'public-key' || kind === 'certificate-chain';
  if (!key.exportable && !isPublic) throw refuse('private key material is not exportable');
  refuseDeleted(key);
  const type = requireType(key.type);
  checkKind(kind, type);
  const keys = askedVersions(key, textOf(fields, 'version')).map(([number, version]) => [
    number,
    write(key, version, type),
  ]);
  return { data: { name: key.name, type: key.type, keys: Object.fromEntries(keys) } };
}

function checkKind(kind: string, type: TransitType): void {
  if (kind === 'encryption-key' && !type.encrypts) throw refuse('encryption not supported for the key');
  if (kind === 'signing-key' && !type.signs) throw refuse('signing not supported for the key');
  if (kind === 'public-key' && type.pair === undefined) {
    throw refuse(`unknown key type ${type.name} for export type ${kind}`);
  }
  if (kind === 'certificate-chain' && !type.signs) {
    throw refuse('certificate chain not supported for keys that do not support signing');
  }
}

const failed = (text: string): Refusal => refuseWrapped(text, 500, 'byok-export');

/** A key wrapped as `import` takes it, for the holder of the RSA key `destination`. */
function byokExport({ store, fields, random }: Context): Result {
  const destination = readKey(store, textOf(fields, 'destination'));
  if (destination === undefined) throw failed('no such destination key to export to');
  refuseDeleted(destination, failed, 'for destination key: ');
  const source = readKey(store, textOf(fields, 'source'));
  if (source === undefined) throw failed('no such source key for export');
  if (!source.exportable) throw refuse('key is not exportable');
  refuseDeleted(source, failed, 'for source key: ');
  const versions = askedVersions(source, textOf(fields, 'version'));
  const hash = oaepDigest(textOf(fields, 'hash', 'SHA256'));
  if (hash === undefined) throw failed(`unknown hash function: ${textOf(fields, 'hash')}`);
  const type = requireType(destination.type);
  if (!type.signs) throw failed(`message signing not supported for key type ${type.name}`);
  if (type.kind !== 'rsa') throw failed('unsupported key type in use; must be a rsa key');
  const wrapping = publicKeyOf(versionForUse(destination, 0, 'signing').version);
  const keys = versions.map(([number, version]) => {
    if (version.secret === '') throw failed(`version ${number} does not contain a private part`);
    const secret = Buffer.from(version.secret, 'base64');
    return [number, wrapKey(wrapping, secret, hash, random).toString('base64')];
  });
  return { data: { name: source.name, type: source.type, keys: Object.fromEntries(keys) } };
}

function askedVersions(key: TransitKey, asked: string): [string, KeyVersion][] {
  if (asked === '') {
    return Object.entries(key.versions).filter(([number]) => Number(number) >= key.minDecryption);
  }
  const text = asked === 'latest' ? String(key.latest) : asked.replace(/^v/, '');
  if (!/^[-+]?\d{1,9}$/.test(text)) throw refuse('invalid key version');
  const number = Number(text);
  if (number < key.minDecryption) throw refuse('version for export is below minimum decryption version');
  const version = key.versions[number];
  if (version === undefined) throw refuse('version does not exist or cannot be found');
  return [[String(number), version]];
}
