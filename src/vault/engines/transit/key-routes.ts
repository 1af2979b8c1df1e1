import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { requireType, type TransitType } from './key-types.ts';
import {
  type KeyVersion,
  newKey,
  newVersion,
  pairOf,
  putKey,
  putKeysConfig,
  readKey,
  readKeysConfig,
  type TransitKey,
  withVersion,
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
    { path: 'export/:kind/:name', operations: { read: exportKey } },
    { path: 'export/:kind/:name/:version', operations: { read: exportKey } },
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
    { path: 'cache-config', operations: { read: () => ({ data: { size: 0 } }) } },
  ];
}

const nameOf = ({ fields }: Context): string => textOf(fields, 'name');

export function shown(key: TransitKey, warnings: readonly string[] = []): Result {
  const type = requireType(key.type);
  const numbers = Object.keys(key.versions).filter((number) => Number(number) >= key.minDecryption);
  const keys = numbers.map((number) => [number, shownVersion(key, key.versions[number])]);
  const data = {
    name: key.name,
    type: key.type,
    keys: Object.fromEntries(keys),
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
    soft_deleted: false,
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
    certificate_chain: '',
    creation_time: new Date(version.created).toISOString(),
    name: key.derived === true ? 'derived' : type.label,
    // A derived pair is another one for each context.
    public_key: key.derived === true ? '' : publicText(key, version),
  };
}

/** PEM; the 32 bytes alone for Ed25519. */
function publicText(key: TransitKey, version: KeyVersion): string {
  const { publicKey } = pairOf(version);
  if (requireType(key.type).kind !== 'ed25519') {
    return String(publicKey.export({ type: 'spki', format: 'pem' }));
  }
  return Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url').toString('base64');
}

/** A key that is there already is shown as it is. */
async function create(context: Context): Promise<Result> {
  const { store, fields } = context;
  const known = readKey(store, nameOf(context));
  if (known !== undefined) return shown(known);
  const type = requireType(textOf(fields, 'type') || 'aes256-gcm96');
  const [derived, convergent] = [booleanOf(fields, 'derived'), booleanOf(fields, 'convergent_encryption')];
  checkDerivation(type, derived, convergent);
  const key = newKey(nameOf(context), type, await newVersion(context, type), {
    exportable: booleanOf(fields, 'exportable'),
    allowPlaintextBackup: booleanOf(fields, 'allow_plaintext_backup'),
    autoRotatePeriod: periodOf(fields, 0),
    derived,
    convergent,
  });
  putKey(store, key);
  return shown(key);
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

async function rotate(context: Context): Promise<Result> {
  const key = readKey(context.store, nameOf(context));
  if (key === undefined) throw refuse('key not found');
  if (!key.allowRotation) throw refuse(`imported key ${key.name} does not allow rotation within OpenBao`);
  const rotated = withVersion(key, await newVersion(context, requireType(key.type)));
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

const kinds = ['encryption-key', 'signing-key', 'hmac-key', 'public-key'];

function exportKey(context: Context): Result | undefined {
  const { store, fields } = context;
  const kind = textOf(fields, 'kind');
  if (!kinds.includes(kind)) throw refuse(`invalid export type: ${kind}`);
  const key = readKey(store, nameOf(context));
  if (key === undefined) return undefined;
  if (!key.exportable && kind !== 'public-key') throw refuse('private key material is not exportable');
  const type = requireType(key.type);
  if (kind === 'encryption-key' && !type.encrypts) throw refuse('encryption not supported for the key');
  if (kind === 'signing-key' && !type.signs) throw refuse('signing not supported for the key');
  if (kind === 'public-key' && type.pair === undefined) {
    throw refuse(`unknown key type ${key.type} for export type ${kind}`);
  }
  const asked = textOf(fields, 'version');
  const wanted = asked === 'latest' ? String(key.latest) : asked;
  const numbers = Object.keys(key.versions).filter(
    (number) => Number(number) >= key.minDecryption && (wanted === '' || number === wanted),
  );
  if (numbers.length === 0) throw refuse('version does not exist or cannot be found');
  const keys = numbers.map((number) => [number, exported(key, key.versions[number], kind)]);
  return { data: { name: key.name, type: key.type, keys: Object.fromEntries(keys) } };
}

function exported(key: TransitKey, version: KeyVersion | undefined, kind: string): string {
  if (version === undefined) return '';
  const type = requireType(key.type);
  if (kind === 'public-key') return publicText(key, version);
  if (kind === 'hmac-key') return key.type === 'hmac' ? version.secret : version.hmac;
  if (type.pair === undefined) return version.secret;
  const { privateKey } = pairOf(version);
  if (type.kind === 'rsa') return String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
  if (type.kind === 'ecdsa') return String(privateKey.export({ type: 'sec1', format: 'pem' }));
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]).toString('base64');
}
