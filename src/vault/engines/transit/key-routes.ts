import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { StorageView } from '../../core/storage.ts';
import { chainPem, publicText } from './key-text.ts';
import { hmacSizes, requireType, type TransitType } from './key-types.ts';
import {
  hmacBytes,
  type KeyVersion,
  newKey,
  newVersion,
  putKey,
  putKeysConfig,
  readKey,
  readKeysConfig,
  refuseDeleted,
  type TransitKey,
  withNewVersion,
} from './store.ts';

const schema: Schema = {
  type: 'string',
  derived: 'bool',
  convergent_encryption: 'bool',
  exportable: 'bool',
  allow_plaintext_backup: 'bool',
  auto_rotate_period: 'seconds',
  min_decryption_version: 'int',
  min_encryption_version: 'int',
  min_available_version: 'int',
  deletion_allowed: 'bool',
  key_size: 'int',
};

/** Keys: made, shown without their secrets, rotated, bounded, trimmed, deleted. */
export function keyRoutes(): Route[] {
  return [
    {
      path: 'keys',
      operations: {
        list: ({ store }) => {
          const names = store.list('key/');
          return names.length === 0 ? undefined : { data: { keys: names } };
        },
      },
    },
    {
      path: 'keys/:name',
      fields: schema,
      operations: {
        read: ({ store, fields }) => {
          const key = readKey(store, textOf(fields, 'name'));
          return key === undefined ? undefined : shown(key);
        },
        update: create,
        delete: remove,
      },
    },
    { path: 'keys/:name/rotate', operations: { update: rotate } },
    { path: 'keys/:name/config', fields: schema, operations: { update: configure } },
    { path: 'keys/:name/trim', fields: schema, operations: { update: trim } },
    { path: 'keys/:name/soft-delete', operations: { delete: (context) => setDeleted(context, true) } },
    {
      path: 'keys/:name/soft-delete-restore',
      operations: { update: (context) => setDeleted(context, false) },
    },
    {
      path: 'config/keys',
      fields: { disable_upsert: 'bool' },
      operations: {
        read: ({ store }) => ({ data: { ...readKeysConfig(store) } }),
        update: ({ store, fields }) => {
          const config = { disable_upsert: booleanOf(fields, 'disable_upsert') };
          putKeysConfig(store, config);
          return { data: config };
        },
      },
    },
    {
      path: 'cache-config',
      fields: { size: 'int' },
      operations: { read: ({ store }) => ({ data: { size: readCacheSize(store) } }), update: setCacheSize },
    },
  ];
}

const nameOf = ({ fields }: Context): string => textOf(fields, 'name');

export function shown(key: TransitKey, warnings: readonly string[] = []): Result {
  const type = requireType(key.type);
  const numbers = Object.keys(key.versions).filter((number) => Number(number) >= key.minDecryption);
  const keys = numbers.map((number) => [number, shownVersion(key, key.versions[number])]);
  const versions = key.type === 'hmac' ? { key_size: hmacBytes(key) } : { keys: Object.fromEntries(keys) };
  const data = {
    name: key.name,
    type: key.type,
    ...versions,
    latest_version: key.latest,
    min_available_version: key.minAvailable,
    min_decryption_version: key.minDecryption,
    min_encryption_version: key.minEncryption,
    allow_plaintext_backup: key.allowPlaintextBackup,
    auto_rotate_period: key.autoRotatePeriod,
    deletion_allowed: key.deletionAllowed,
    derived: key.derived === true,
    ...(key.derived === true ? { kdf: 'hkdf_sha256', convergent_encryption: key.convergent === true } : {}),
    ...(key.convergent === true ? { convergent_encryption_version: -1 } : {}),
    exportable: key.exportable,
    imported_key: key.imported,
    ...(key.imported ? { imported_key_allow_rotation: key.allowRotation } : {}),
    soft_deleted: key.softDeleted === true,
    supports_decryption: type.encrypts,
    supports_derivation: type.derives,
    supports_encryption: type.encrypts,
    supports_signing: type.signs,
  };
  return { data, ...(warnings.length === 0 ? {} : { warnings }) };
}

function shownVersion(key: TransitKey, version: KeyVersion | undefined): unknown {
  const type = requireType(key.type);
  if (version === undefined || type.pair === undefined) return Math.floor((version?.created ?? 0) / 1000);
  return {
    certificate_chain: chainPem(version),
    creation_time: new Date(version.created).toISOString(),
    name: key.derived === true ? 'derived' : type.label,
    // A derived pair is another one for each context.
    public_key: key.derived === true ? '' : publicText(key, version),
  };
}

/** A key that is there already is shown as it is. */
async function create(context: Context): Promise<Result> {
  const { store, fields } = context;
  const known = readKey(store, nameOf(context));
  if (known !== undefined) return shown(known);
  const type = requireType(textOf(fields, 'type') || 'aes256-gcm96');
  const [derived, convergent] = [booleanOf(fields, 'derived'), booleanOf(fields, 'convergent_encryption')];
  checkDerivation(type, derived, convergent);
  const size = keySizeOf(fields, type);
  const key = newKey(nameOf(context), type, await newVersion(context, type, size), {
    exportable: booleanOf(fields, 'exportable'),
    allowPlaintextBackup: booleanOf(fields, 'allow_plaintext_backup'),
    autoRotatePeriod: periodOf(fields, 0),
    derived,
    convergent,
  });
  putKey(store, key);
  return shown(key);
}

/** Bytes; HMACs alone have a choice. @throws Refusal 400 */
function keySizeOf(fields: Fields, { name, kind, size }: TransitType): number {
  const asked = numberOf(fields, 'key_size');
  if (asked === 0) return size;
  if (kind !== 'hmac') throw refuse(`key_size is not valid for algorithm ${name}`);
  if (asked < hmacSizes.least || asked > hmacSizes.most) throw refuse(`invalid key_size ${asked}`);
  return asked;
}

function checkDerivation({ name, kind, derives }: TransitType, derived: boolean, convergent: boolean): void {
  if (convergent && !derived) throw refuse('convergent encryption requires derivation to be enabled');
  const fail = (what: string): Refusal =>
    refuseWrapped(`${what} not supported for keys of type ${name}`, 500, 'bad-field');
  if (derived && !derives) throw fail('key derivation and convergent encryption');
  if (convergent && kind !== 'aead') throw fail('convergent encryption');
}

function periodOf(fields: Fields, otherwise: number): number {
  const period = numberOf(fields, 'auto_rotate_period', otherwise);
  if (period === 0 || period >= 3600) return period;
  throw refuse('auto rotate period must be 0 to disable or at least an hour');
}

/** Its key stays and is not used until it is restored. */
function setDeleted({ store, fields }: Context, softDeleted: boolean): Result | undefined {
  const key = readKey(store, textOf(fields, 'name'));
  if (key === undefined) return undefined;
  const after = { ...key, softDeleted };
  putKey(store, after);
  const already = softDeleted ? 'key was already marked as soft deleted' : 'key was already restored';
  return shown(after, (key.softDeleted === true) === softDeleted ? [already] : []);
}

/** Kept and shown; there is no cache of keys beside the store's own. */
function setCacheSize({ store, fields }: Context): Result {
  const size = numberOf(fields, 'size');
  if (size !== 0 && size < smallestCache) {
    throw refuse(`size must be 0 or a value greater or equal to ${smallestCache}`);
  }
  store.put('config/cache', size);
  return { data: { size } };
}

const smallestCache = 10;
const readCacheSize = (store: StorageView): number => store.get<number>('config/cache') ?? 0;

async function rotate(context: Context): Promise<Result> {
  const key = readKey(context.store, nameOf(context));
  if (key === undefined) throw refuse('key not found');
  refuseDeleted(key);
  if (!key.allowRotation) {
    throw refuseWrapped(
      `imported key ${key.name} does not allow rotation within Vault`,
      500,
      'not-rotatable',
    );
  }
  const rotated = await withNewVersion(context, key);
  putKey(context.store, rotated);
  return shown(rotated);
}

function configure(context: Context): Result {
  const { store, fields } = context;
  const before = readKey(store, nameOf(context));
  if (before === undefined) throw refuse(`no existing key named ${nameOf(context)} could be found`);
  const asked = numberOf(fields, 'min_decryption_version', before.minDecryption);
  const minDecryption = boundOf(asked === 0 ? 1 : asked, before, 'decryption');
  const minEncryption = boundOf(
    numberOf(fields, 'min_encryption_version', before.minEncryption),
    before,
    'encryption',
  );
  if (minEncryption > 0 && minEncryption < minDecryption) {
    throw refuse(
      `cannot set min encryption/decryption values; min encryption version of ${minEncryption} must be greater than or equal to min decryption version of ${minDecryption}`,
    );
  }
  if (before.minAvailable > minEncryption) {
    throw refuse('min encryption version should not be less than min available version');
  }
  if (before.minAvailable > minDecryption) {
    throw refuse('min decryption version should not be less then min available version');
  }
  const key: TransitKey = {
    ...before,
    minDecryption,
    minEncryption,
    deletionAllowed: booleanOf(fields, 'deletion_allowed', before.deletionAllowed),
    exportable: before.exportable || booleanOf(fields, 'exportable'),
    allowPlaintextBackup: before.allowPlaintextBackup || booleanOf(fields, 'allow_plaintext_backup'),
    autoRotatePeriod: periodOf(fields, before.autoRotatePeriod),
  };
  putKey(store, key);
  const forced =
    'since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1';
  return shown(key, asked === 0 ? [forced] : []);
}

function boundOf(version: number, key: TransitKey, what: 'decryption' | 'encryption'): number {
  if (version < 0) throw refuse(`min ${what} version cannot be negative`);
  if (version <= key.latest) return version;
  throw refuse(`cannot set min ${what} version of ${version}, latest key version is ${key.latest}`);
}

function trim(context: Context): Result {
  const { store, fields } = context;
  const key = readKey(store, nameOf(context));
  if (key === undefined) throw refuse('invalid key name');
  if (!('min_available_version' in fields)) throw refuse('missing min_available_version');
  const version = numberOf(fields, 'min_available_version');
  const wrong =
    version < key.minAvailable
      ? 'minimum available version cannot be decremented'
      : key.minEncryption === 0
        ? 'minimum available version cannot be set when minimum encryption version is not set'
        : version > key.minEncryption
          ? 'minimum available version cannot be greater than minmum encryption version'
          : version > key.minDecryption
            ? 'minimum available version cannot be greater than minimum decryption version'
            : version === 0
              ? 'minimum available version should be positive'
              : undefined;
  if (wrong !== undefined) throw refuse(wrong);
  const kept = Object.entries(key.versions).filter(([number]) => Number(number) >= version);
  const trimmed = { ...key, minAvailable: version, versions: Object.fromEntries(kept) };
  putKey(store, trimmed);
  return shown(trimmed);
}

function remove(context: Context): undefined {
  const { store } = context;
  const name = nameOf(context);
  const key = readKey(store, name);
  if (key === undefined) throw refuse(`error deleting policy ${name}: could not delete key; not found`);
  if (!key.deletionAllowed) {
    throw refuse(`error deleting policy ${name}: deletion is not allowed for this key`);
  }
  store.delete(`key/${name}`);
}
