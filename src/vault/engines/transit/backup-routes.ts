import { isRecord } from '../../../lib/records.ts';
import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { typeOf } from './key-types.ts';
import { putKey, readKey, refuseDeleted, type TransitKey } from './store.ts';

const schema = { name: 'string', backup: 'string', force: 'bool' } as const;
const kind = 'meshroot-transit-key-1';

/** A key with all its versions, in clear: only of keys whose owner said so twice. Ours alone can read it back. */
export const backupRoutes = (): Route[] => [
  { path: 'backup/:name', operations: { read: backup } },
  { path: 'restore', fields: schema, operations: { update: restore } },
  { path: 'restore/:name', fields: schema, operations: { update: restore } },
];

const failed = (text: string): Refusal => refuseWrapped(text, 500, 'transit-backup');

function backup({ store, fields }: Context): Result {
  const name = textOf(fields, 'name');
  const key = readKey(store, name);
  if (key === undefined) throw failed(`key ${JSON.stringify(name)} not found`);
  refuseDeleted(key);
  if (!key.exportable) throw failed('exporting is disallowed on the policy');
  if (!key.allowPlaintextBackup) throw failed('plaintext backup is disallowed on the policy');
  return { data: { backup: Buffer.from(JSON.stringify({ kind, key })).toString('base64') } };
}

function restore({ store, fields }: Context): undefined {
  const text = textOf(fields, 'backup');
  if (text === '') throw refuse("'backup' must be supplied");
  const key = parse(text);
  const name = textOf(fields, 'name', key.name);
  if (readKey(store, name) !== undefined && !booleanOf(fields, 'force')) {
    throw failed(`key ${JSON.stringify(name)} already exists`);
  }
  putKey(store, { ...key, name });
}

/** @throws Refusal 500 for what no backup of ours is */
function parse(text: string): TransitKey {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    value = undefined;
  }
  if (!isRecord(value) || value.kind !== kind || !isKey(value.key)) {
    throw failed('the backup is not one of this server');
  }
  return value.key;
}

/** Whoever may restore may choose every byte: what is not shaped like a key must not become one. */
function isKey(value: unknown): value is TransitKey {
  if (!isRecord(value) || typeof value.name !== 'string' || !/^[\w.-]{1,200}$/.test(value.name)) return false;
  const { versions, type, latest } = value;
  const numbers = [
    latest,
    value.minDecryption,
    value.minEncryption,
    value.minAvailable,
    value.autoRotatePeriod,
  ];
  const flags = [
    value.deletionAllowed,
    value.exportable,
    value.allowPlaintextBackup,
    value.imported,
    value.allowRotation,
  ];
  return (
    typeof type === 'string' &&
    typeOf(type) !== undefined &&
    numbers.every((number) => Number.isSafeInteger(number) && (number as number) >= 0) &&
    flags.every((flag) => typeof flag === 'boolean') &&
    isRecord(versions) &&
    Object.hasOwn(versions, String(latest)) &&
    Object.entries(versions).every(([number, version]) => /^[1-9]\d{0,8}$/.test(number) && isVersion(version))
  );
}

const isVersion = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.secret === 'string' &&
  typeof value.hmac === 'string' &&
  (value.publicKey === undefined || typeof value.publicKey === 'string') &&
  Number.isSafeInteger(value.created);
