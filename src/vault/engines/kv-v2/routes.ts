import { exact } from '../../../lib/exact-json.ts';
import { isRecord } from '../../../lib/records.ts';
import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { coerceFields, type Fields, numberOf, textOf } from '../../core/fields.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { configRoute, detailedRoute, metadataRoute } from './metadata-routes.ts';
import { isAlive, mergePatch, subkeys, versionFields } from './schema.ts';
import {
  addVersion,
  deleteVersion,
  type KeyMetadata,
  putMetadata,
  readConfig,
  readMetadata,
  readVersion,
} from './store.ts';
import { takeOver } from './take-over.ts';

const casMismatch = 'check-and-set parameter did not match the current version';

/** KV version 2: numbered versions, check-and-set, soft deletion. */
export function createKvV2(): Backend {
  return defineBackend({
    type: 'kv',
    takeOver,
    wrongPathWarning:
      "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation.",
    routes: [
      configRoute,
      dataRoute,
      metadataRoute,
      detailedRoute,
      versionsRoute('delete', softDelete),
      versionsRoute('undelete', undelete),
      versionsRoute('destroy', destroy),
      subkeysRoute,
      { path: '*path', operations: { read: () => undefined } },
    ],
  });
}

const dataRoute: Route = {
  path: 'data/*path',
  fields: { data: 'map', options: 'map', version: 'int' },
  exists: ({ store, fields }) => readMetadata(store, textOf(fields, 'path')) !== undefined,
  operations: { read, create: write, update: write, patch, delete: deleteLatest },
};

const subkeysRoute: Route = {
  path: 'subkeys/*path',
  fields: { version: 'int', depth: 'int' },
  operations: {
    read: (context) => {
      const found = readData(context);
      if (found?.data === undefined || found.status !== undefined) return found;
      const shape = subkeys(found.data?.data, numberOf(context.fields, 'depth'));
      return { data: { subkeys: shape, metadata: found.data?.metadata } };
    },
  },
};

function versionsRoute(
  verb: string,
  change: (metadata: KeyMetadata, version: number, now: number) => KeyMetadata,
): Route {
  const handler = ({ store, fields, clock }: Context): undefined => {
    const path = textOf(fields, 'path');
    const versions = (fields.versions as readonly number[] | undefined) ?? [];
    if (versions.length === 0)
      throw refuse(verb === 'destroy' ? 'no version number provided' : 'No version number provided');
    const found = readMetadata(store, path);
    if (found === undefined) return;
    const known = versions.filter((version) => found.versions[version] !== undefined);
    const now = clock.now();
    putMetadata(
      store,
      path,
      known.reduce((metadata, version) => change(metadata, version, now), found),
    );
    if (verb === 'destroy') for (const version of known) deleteVersion(store, path, version);
  };
  return {
    path: `${verb}/*path`,
    fields: { versions: 'ints' },
    operations: { update: handler, create: handler },
  };
}

function read(context: Context): Result | undefined {
  return readData(context);
}

function readData({ store, fields, clock }: Context): Result | undefined {
  const path = textOf(fields, 'path');
  const metadata = readMetadata(store, path);
  const version = numberOf(fields, 'version') || (metadata?.current ?? 0);
  const found = metadata?.versions[version];
  if (metadata === undefined || found === undefined) return undefined;
  const alive = isAlive(found, clock.now());
  const data = {
    data: alive ? (readVersion(store, path, version) ?? null) : null,
    metadata: versionFields(metadata, version),
  };
  return alive ? { data } : { data, status: 404 };
}

function write(context: Context): Result {
  const { store, fields, clock } = context;
  const path = textOf(fields, 'path');
  if (path === '') throw refuse('missing path');
  const data = dataOf(context);
  checkCas(context, readMetadata(store, path));
  const metadata = addVersion(store, path, data, clock.now());
  return { data: versionFields(metadata, metadata.current) };
}

/** What is to be kept, its numbers as they were sent. @throws Refusal 400 */
function dataOf({ data: sent, fields }: Context): Fields {
  const { data } = exact(sent);
  if (!isRecord(fields.data) || !isRecord(data)) throw refuse('no data provided');
  return data;
}

function patch(context: Context): Result {
  const { store, fields, clock } = context;
  const path = textOf(fields, 'path');
  const data = dataOf(context);
  const metadata = readMetadata(store, path);
  checkCas(context, metadata);
  if (metadata === undefined) throw nothingHere();
  if (!isAlive(metadata.versions[metadata.current], clock.now())) {
    throw refuse('no value found at the current version', 404, 'not-found');
  }
  const merged = mergePatch(readVersion(store, path, metadata.current), data) as Fields;
  const after = addVersion(store, path, merged, clock.now());
  return { data: versionFields(after, after.current) };
}

/** `cas: 0` means that there must be no version yet. */
function checkCas({ store, fields }: Context, metadata: KeyMetadata | undefined): void {
  const { cas } = coerceFields({ cas: 'int' }, (fields.options as Fields | undefined) ?? {});
  const required = readConfig(store).casRequired || metadata?.casRequired === true;
  if (cas === undefined) {
    if (required) throw refuse('check-and-set parameter required for this call', 400, 'cas-required');
    return;
  }
  if (cas !== (metadata?.current ?? 0)) throw refuse(casMismatch, 400, 'cas-mismatch');
}

function deleteLatest({ store, fields, clock }: Context): undefined {
  const path = textOf(fields, 'path');
  const metadata = readMetadata(store, path);
  if (metadata !== undefined) putMetadata(store, path, softDelete(metadata, metadata.current, clock.now()));
}

function softDelete(metadata: KeyMetadata, version: number, now: number): KeyMetadata {
  return isAlive(metadata.versions[version], now)
    ? withVersion(metadata, version, { deleted: now })
    : metadata;
}

function undelete(metadata: KeyMetadata, version: number): KeyMetadata {
  return metadata.versions[version]?.destroyed === false
    ? withVersion(metadata, version, { deleted: 0 })
    : metadata;
}

function destroy(metadata: KeyMetadata, version: number): KeyMetadata {
  return withVersion(metadata, version, { destroyed: true });
}

function withVersion(metadata: KeyMetadata, version: number, change: object): KeyMetadata {
  const before = metadata.versions[version];
  if (before === undefined) return metadata;
  return { ...metadata, versions: { ...metadata.versions, [version]: { ...before, ...change } } };
}
