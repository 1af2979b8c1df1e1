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
import { nothingHere, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { configFields, mergePatch, metadataFields } from './schema.ts';
import {
  deleteVersion,
  type KeyMetadata,
  listKeys,
  newMetadata,
  putConfig,
  putMetadata,
  readConfig,
  readMetadata,
} from './store.ts';

const settings: Schema = { max_versions: 'int', cas_required: 'bool', delete_version_after: 'seconds' };

export const configRoute: Route = {
  path: 'config',
  fields: settings,
  operations: {
    read: ({ store }) => ({ data: configFields(readConfig(store)) }),
    update: ({ store, fields }) => {
      const before = readConfig(store);
      putConfig(store, {
        maxVersions: numberOf(fields, 'max_versions', before.maxVersions),
        casRequired: booleanOf(fields, 'cas_required', before.casRequired),
        deleteVersionAfter: numberOf(fields, 'delete_version_after', before.deleteVersionAfter),
      });
      return undefined;
    },
  },
};

export const metadataRoute: Route = {
  path: 'metadata/*path',
  fields: { ...settings, custom_metadata: 'any' }, // a patch may hold null, which takes a key away
  exists: ({ store, fields }) => readMetadata(store, textOf(fields, 'path')) !== undefined,
  operations: { read, create: write, update: write, patch, delete: remove, list },
};

function read({ store, fields }: Context): Result | undefined {
  const metadata = readMetadata(store, textOf(fields, 'path'));
  return metadata === undefined ? undefined : { data: metadataFields(metadata) };
}

function write({ store, fields, clock }: Context): undefined {
  const path = textOf(fields, 'path');
  putMetadata(
    store,
    path,
    changed(readMetadata(store, path) ?? newMetadata(clock.now()), fields, clock.now()),
  );
}

function patch({ store, fields, clock }: Context): undefined {
  const path = textOf(fields, 'path');
  const before = readMetadata(store, path);
  if (before === undefined) throw nothingHere();
  const custom = mergePatch(before.customMetadata ?? {}, fields.custom_metadata ?? {});
  putMetadata(store, path, changed(before, { ...fields, custom_metadata: custom }, clock.now()));
}

function changed(before: KeyMetadata, fields: Fields, now: number): KeyMetadata {
  const custom =
    fields.custom_metadata === undefined
      ? undefined
      : (coerceFields({ custom_metadata: 'texts' }, fields).custom_metadata as Record<string, string>);
  if (custom !== undefined) checkCustom(custom);
  return {
    ...before,
    maxVersions: numberOf(fields, 'max_versions', before.maxVersions),
    casRequired: booleanOf(fields, 'cas_required', before.casRequired),
    deleteVersionAfter: numberOf(fields, 'delete_version_after', before.deleteVersionAfter),
    customMetadata: custom ?? before.customMetadata,
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
    list: (context) => {
      const found = list(context);
      if (found === undefined) return undefined;
      const path = textOf(context.fields, 'path').replace(/(?<=[^/])$/, '/');
      const keys = listOf(found.data ?? {}, 'keys');
      const info = keys.flatMap((key) => {
        const metadata = key.endsWith('/') ? undefined : readMetadata(context.store, `${path}${key}`);
        return metadata === undefined ? [] : [[key, metadataFields(metadata)] as const];
      });
      return { data: { keys, key_info: Object.fromEntries(info) } };
    },
  },
};

function list({ store, fields }: Context): Result | undefined {
  const path = textOf(fields, 'path');
  const keys = listKeys(store, path === '' || path.endsWith('/') ? path : `${path}/`);
  return keys.length === 0 ? undefined : { data: { keys } };
}
