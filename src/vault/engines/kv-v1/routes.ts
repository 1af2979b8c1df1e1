import { exact } from '../../../lib/exact-json.ts';
import { type Backend, type Context, defineBackend } from '../../core/backend.ts';
import { type Fields, toSeconds } from '../../core/fields.ts';
import { scanned } from '../../core/listing.ts';
import { effectiveDefaultTtl } from '../../core/mount-entry.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** KV version 1: one value per path, no history. */
export function createKvV1(): Backend {
  return defineBackend({
    type: 'kv',
    routes: [
      {
        path: '*path',
        fields: {}, // what is written has names of its own; a read knows none
        exists: ({ store, path }) => store.get(path) !== undefined,
        operations: { read, create: write, update: write, delete: remove, list, scan },
      },
    ],
  });
}

function read({ store, path, mount }: Context): Result | undefined {
  const data = store.get<Fields>(path);
  if (data === undefined) return undefined;
  return { data, leaseDuration: leaseOf(data) ?? effectiveDefaultTtl(mount) };
}

/** Agents read again after about this time: the data's own `ttl` or `lease` if it is a duration. */
function leaseOf(data: Fields): number | undefined {
  const said = data.ttl ?? data.lease;
  if (said === undefined || said === '' || (typeof said === 'number' && !Number.isInteger(said)))
    return undefined;
  try {
    return toSeconds(said);
  } catch {
    return undefined;
  }
}

function write({ store, path, data }: Context): undefined {
  if (path === '') throw refuse('missing path');
  if (Object.keys(data).length === 0) throw refuse('missing data fields');
  store.put(path, exact(data));
}

function remove({ store, path }: Context): undefined {
  store.delete(path);
}

function list({ store, path }: Context): Result | undefined {
  const keys = store.list(path === '' || path.endsWith('/') ? path : `${path}/`);
  return keys.length === 0 ? undefined : { data: { keys } };
}

/** Every key below a folder. */
function scan({ store, path }: Context): Result {
  return scanned(store.all(path === '' || path.endsWith('/') ? path : `${path}/`));
}
