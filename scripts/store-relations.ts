import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { openLmdbPhysical } from '../src/vault/core/physical-lmdb.ts';
import type { Services } from '../src/vault/core/services.ts';
import { VaultCore } from '../src/vault/core/vault-core.ts';
import { testCatalogue } from '../src/vault/test-core.ts';
import type { StoreKeys } from './store-process.ts';

/**
 * Opens a copy of a killed store's file and looks at everything that is written by one change under several keys: a token,
 * its accessor, its place below its parent, its lease and the lease's time; a mount and what is below it. Also what was
 * never acknowledged is there as a whole or not at all.
 * @param folder of the store process
 * @returns how many entries were looked at
 * @throws Error naming what is half there
 */
export async function checkRelations(folder: string, keys: StoreKeys): Promise<number> {
  const own = mkdtempSync(join(tmpdir(), 'relations-'));
  copyFileSync(join(folder, 'data/store.mdb'), join(own, 'store.mdb'));
  const clock = { now: systemClock.now, sleep: () => new Promise<void>(() => {}) }; // nothing may tidy up first
  const core = new VaultCore({ physical: openLmdbPhysical(own), clock, catalogue: testCatalogue() });
  try {
    await core.unseal(Buffer.from(keys.key, 'base64'));
    if (core.services === undefined) throw new Error('the copy did not open');
    return relate(core.services);
  } finally {
    await core.close();
    rmSync(own, { recursive: true });
  }
}

function relate({ storage, tokens, leases }: Services): number {
  const store = storage.begin(false);
  const paths = store.all('');
  const below = (prefix: string): string[] =>
    paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const known = new Map(
    below('sys/token/id/').map((key) => [key, tokens.find(store, key) ?? half('token', key)]),
  );
  const accessors = below('sys/token/accessor/').map((name) =>
    store.get<string>(`sys/token/accessor/${name}`),
  );
  same('accessors and tokens', accessors, known.keys());
  const ids = below('sys/expire/id/');
  same(
    'times and leases',
    below('sys/expire/at/').map((name) => name.slice(name.indexOf('/') + 1)),
    ids,
  );
  const leased = [...known.values()].filter(({ leaseId }) => leaseId !== '');
  same(
    'leases of tokens and tokens',
    ids.filter((id) => leases.get(id)?.isToken),
    leased.map(({ leaseId }) => leaseId),
  );
  const children = [...known].filter(([, { parent }]) => parent !== '');
  same(
    'children and parents',
    below('sys/token/parent/'),
    children.map(([key, { parent }]) => `${parent}/${key}`),
  );
  for (const [key, { parent }] of children) if (!known.has(parent)) half('parent of token', key);
  for (const path of below('sys/cubbyhole/'))
    if (!known.has(path.split('/')[0] ?? '')) half('owner of cubbyhole', path);
  const mounts = below('core/mounts/').map(
    (path) => store.get<{ uuid: string }>(`core/mounts/${path}`)?.uuid ?? half('mount', path),
  );
  for (const path of [...below('logical/'), ...below('auth/')])
    if (!mounts.includes(path.split('/')[0] ?? '')) half('mount of entry', path);
  return paths.length;
}

/** Both sides name the same things, each once. */
function same(what: string, some: Iterable<string | undefined>, others: Iterable<string>): void {
  const [left, right] = [[...some].sort(), [...others].sort()];
  const odd = left.findIndex((name, i) => name !== right[i]);
  if (left.length !== right.length || odd !== -1)
    throw new Error(`${what} do not agree: ${left.length} and ${right.length}, first ${left[odd]}`);
}

function half(what: string, name: string): never {
  throw new Error(`half there: the ${what} ${name}`);
}
