import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { configFields, metadataFields } from './schema.ts';
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
  fields: { ...settings, custom_metadata: 'texts' },
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
  const custom = { ...before.customMetadata, ...(fields.custom_metadata as object | undefined) };
  putMetadata(store, path, changed(before, { ...fields, custom_metadata: custom }, clock.now()));
}

function changed(before: KeyMetadata, fields: Fields, now: number): KeyMetadata {
  const custom = fields.custom_metadata as Record<string, string> | undefined;
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

function checkCustom(custom: Readonly<Record<string, string>>): void {
  const entries = Object.entries(custom);
  if (entries.length > 64)
    throw refuse('custom_metadata validation failed: payload must contain at most 64 keys');
  for (const [key, value] of entries) {
    if (key.length > 128 || value.length > 512) {
      throw refuse('custom_metadata validation failed: keys may have 128 characters and values 512');
    }
  }
}

function remove({ store, fields }: Context): undefined {
  const path = textOf(fields, 'path');
  const metadata = readMetadata(store, path);
  for (const version of Object.keys(metadata?.versions ?? {})) deleteVersion(store, path, Number(version));
  store.delete(`metadata/${path}`);
}

function list({ store, fields }: Context): Result | undefined {
  const path = textOf(fields, 'path');
  const keys = listKeys(store, path === '' || path.endsWith('/') ? path : `${path}/`);
  return keys.length === 0 ? undefined : { data: { keys } };
}
