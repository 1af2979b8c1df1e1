import type { Context, Route } from '../../core/backend.ts';
import {
  booleanOf,
  coerceFields,
  type Fields,
  listOf,
  numberOf,
  type Schema,
  textOf,
} from '../../core/fields.ts';
import { scanned } from '../../core/listing.ts';
import { nothingHere, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { configFields, mergePatch, metadataFields } from './schema.ts';
import {
  allKeys,
  deleteVersion,
  type KeyMetadata,
  type KvConfig,
  listKeys,
  newMetadata,
  putConfig,
  putMetadata,
  readConfig,
  readMetadata,
} from './store.ts';

const settings: Schema = {
  max_versions: 'int',
  cas_required: 'bool',
  metadata_cas_required: 'bool',
  delete_version_after: 'seconds',
};

export const configRoute: Route = {
  path: 'config',
  fields: { ...settings, delete_version_after: 'signed-seconds' }, // below zero: never
  operations: {
    read: ({ store }) => ({ data: configFields(readConfig(store)) }),
    update: ({ store, fields }) => {
      const before = readConfig(store);
      putConfig(store, {
        maxVersions: versionLimit(fields, before.maxVersions),
        casRequired: booleanOf(fields, 'cas_required', before.casRequired),
        metadataCasRequired: booleanOf(fields, 'metadata_cas_required', before.metadataCasRequired),
        deleteVersionAfter: numberOf(fields, 'delete_version_after', before.deleteVersionAfter),
      });
      return undefined;
    },
  },
};

/** As upstream's uint32: a number below zero becomes a very large one, and never less than the version just written. */
const versionLimit = (fields: Fields, before: number): number =>
  numberOf(fields, 'max_versions', before) >>> 0;

export const metadataRoute: Route = {
  path: 'metadata/*path',
  fields: { ...settings, metadata_cas: 'int', custom_metadata: 'any' }, // a patch may hold null, which takes a key away
  exists: ({ store, fields }) => readMetadata(store, textOf(fields, 'path')) !== undefined,
  operations: { read, create: write, update: write, patch, delete: remove, list, scan },
};

function read({ store, fields }: Context): Result | undefined {
  const metadata = readMetadata(store, textOf(fields, 'path'));
  return metadata === undefined ? undefined : { data: metadataFields(metadata) };
}

/** Whether the call sets anything; one that does not is answered and does nothing. */
const setsSomething = (fields: Fields): boolean =>
  [...Object.keys(settings), 'custom_metadata'].some((name) => fields[name] !== undefined);

function write({ store, fields, clock }: Context): Result | undefined {
  const path = textOf(fields, 'path');
  if (path === '') throw refuse('missing path');
  if (!setsSomething(fields)) return undefined;
  const before = readMetadata(store, path);
  const after = changed(before ?? newMetadata(clock.now()), fields, clock.now());
  checkCas(readConfig(store), before, fields);
  putMetadata(store, path, after);
  return warned(readConfig(store), fields);
}

function patch({ store, fields, clock }: Context): Result | undefined {
  const path = textOf(fields, 'path');
  if (!setsSomething(fields)) return undefined;
  if (path === '') throw refuse('missing path');
  const before = readMetadata(store, path);
  if (before === undefined) throw nothingHere();
  const custom = mergePatch(before.customMetadata ?? {}, fields.custom_metadata ?? {});
  const after = changed(before, { ...fields, custom_metadata: custom }, clock.now());
  checkCas(readConfig(store), before, fields);
  putMetadata(store, path, after);
  return warned(readConfig(store), fields);
}

/** Check-and-set of the metadata itself: `metadata_cas` is its version, 0 that there must be none. @throws Refusal 400 */
function checkCas(config: KvConfig, metadata: KeyMetadata | undefined, fields: Fields): void {
  const isRequired = metadata?.metadataCasRequired === true || config.metadataCasRequired === true;
  if (fields.metadata_cas === undefined) {
    if (isRequired)
      throw refuse('metadata check-and-set parameter required for this call', 400, 'cas-required');
    return;
  }
  const cas = numberOf(fields, 'metadata_cas');
  if (metadata === undefined && cas !== 0) {
    throw refuse('metadata_cas must be 0 when creating new metadata', 400, 'cas-mismatch');
  }
  if (metadata !== undefined && cas !== (metadata.metadataVersion ?? 0)) {
    throw refuse('metadata check-and-set parameter does not match the current version', 400, 'cas-mismatch');
  }
}

/** What a key cannot loosen, since the mount demands it. */
function warned(config: KvConfig, fields: Fields): Result | undefined {
  const demanded = { cas_required: config.casRequired, metadata_cas_required: config.metadataCasRequired };
  const loosened = Object.entries(demanded).filter(([name, is]) => is === true && fields[name] === false);
  if (loosened.length === 0) return undefined;
  const warnings = loosened.map(
    ([name]) => `"${name}" set to false, but is mandated by backend config. This value will be ignored.`,
  );
  return { warnings };
}

function changed(before: KeyMetadata, fields: Fields, now: number): KeyMetadata {
  const custom =
    fields.custom_metadata === undefined
      ? undefined
      : (coerceFields({ custom_metadata: 'texts' }, fields).custom_metadata as Record<string, string>);
  if (custom !== undefined) checkCustom(custom);
  return {
    ...before,
    maxVersions: versionLimit(fields, before.maxVersions),
    casRequired: booleanOf(fields, 'cas_required', before.casRequired),
    metadataCasRequired: booleanOf(fields, 'metadata_cas_required', before.metadataCasRequired),
    deleteVersionAfter: numberOf(fields, 'delete_version_after', before.deleteVersionAfter),
    customMetadata: custom ?? before.customMetadata,
    metadataVersion: (before.metadataVersion ?? 0) + 1,
    updated: now,
  };
}

const maxKeys = 64;

function checkCustom(custom: Readonly<Record<string, string>>): void {
  const entries = Object.entries(custom);
  const problems = [
    ...(entries.length > maxKeys
      ? [`payload must contain at most ${maxKeys} keys, provided ${entries.length}`]
      : []),
    ...entries.flatMap(([key, value]) => entryProblems(key, value)),
  ];
  const [first] = problems;
  if (first !== undefined)
    throw refuseWrapped(`custom_metadata validation failed: ${first}`, 400, 'bad-field');
}

function entryProblems(key: string, value: string): string[] {
  const quoted = JSON.stringify(key);
  const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)];
  return [
    ...(/[^\P{C}]/u.test(key) ? [`key ${quoted} (${key}) contains unprintable characters`] : []),
    ...(/[^\P{C}]/u.test(value) ? [`value for key ${quoted} contains unprintable characters`] : []),
    ...(keyBytes === 0 || keyBytes > 128
      ? [`length of key ${quoted} is ${keyBytes} but must be 0 < len(key) <= 128`]
      : []),
    ...(valueBytes === 0 || valueBytes > 512
      ? [`length of value for key ${quoted} is ${valueBytes} but must be 0 < len(value) <= 512`]
      : []),
  ];
}

function remove({ store, fields }: Context): undefined {
  const path = textOf(fields, 'path');
  const metadata = readMetadata(store, path);
  for (const version of Object.keys(metadata?.versions ?? {})) deleteVersion(store, path, Number(version));
  store.delete(`metadata/${path}`);
}

/** OpenBao's list that tells of each key what reading its metadata would. */
export const detailedRoute: Route = {
  path: 'detailed-metadata/*path',
  operations: {
    list: (context) => detailed(context, list(context)),
    scan: (context) => detailed(context, scan(context)),
  },
};

function detailed(context: Context, found: Result | undefined): Result | undefined {
  const keys = listOf(found?.data ?? {}, 'keys');
  if (keys.length === 0) return found;
  const info = keys.flatMap((key) => {
    const metadata = key.endsWith('/') ? undefined : readMetadata(context.store, folderOf(context) + key);
    return metadata === undefined ? [] : [[key, metadataFields(metadata)] as const];
  });
  return { data: { keys, key_info: Object.fromEntries(info) } };
}

const folderOf = ({ fields }: Context): string => textOf(fields, 'path').replace(/(?<=[^/])$/, '/');

function list(context: Context): Result | undefined {
  const keys = listKeys(context.store, folderOf(context));
  return keys.length === 0 ? undefined : { data: { keys } };
}

function scan(context: Context): Result {
  return scanned(allKeys(context.store, folderOf(context)));
}
