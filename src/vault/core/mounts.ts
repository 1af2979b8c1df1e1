import type { Logger } from '../../lib/log.ts';
import type { Backend } from './backend.ts';
import type { Random } from './barrier.ts';
import { type MountConfig, type MountEntry, mountKey } from './mount-entry.ts';
import { refuse } from './refusal.ts';
import type { Router } from './router.ts';
import type { Catalogue } from './services.ts';
import type { StorageView } from './storage.ts';
import { uuidOf } from './uuid.ts';

export const defaultMountConfig: MountConfig = {
  default_lease_ttl: 0,
  max_lease_ttl: 0,
  force_no_cache: false,
};

/** A new row of the mount table. Its storage starts empty: the uuid is new. */
export function newMount(
  o: Pick<MountEntry, 'kind' | 'path' | 'type'> & Partial<MountEntry>,
  random: Random,
): MountEntry {
  const stem = o.kind === 'auth' ? `auth_${o.type}` : o.type;
  return {
    description: '',
    config: defaultMountConfig,
    options: null,
    local: false,
    sealWrap: false,
    accessor: `${stem}_${random(4).toString('hex')}`,
    uuid: uuidOf(random(16)),
    ...o,
  };
}

/** The mounts that every store has. */
export function builtinMounts(random: Random): MountEntry[] {
  const secret = (path: string, type: string, description: string): MountEntry =>
    newMount({ kind: 'secret', path, type, description, local: type === 'cubbyhole' }, random);
  return [
    secret('sys/', 'system', 'system endpoints used for control, policy and debugging'),
    secret('cubbyhole/', 'cubbyhole', 'per-token private secret storage'),
    secret('identity/', 'identity', 'identity store'),
    newMount({ kind: 'auth', path: 'token/', type: 'token', description: 'token based credentials' }, random),
  ];
}

/** A store that is older than one of the built-in mounts gets it when it is opened. */
export function addMissingMounts(store: StorageView, random: Random): void {
  for (const mount of builtinMounts(random)) {
    if (store.get(mountKey(mount.kind, mount.path)) === undefined) putMount(store, mount);
  }
}

/** @throws Refusal 400 when the type is unknown */
export function backendFor(catalogue: Catalogue, mount: MountEntry): Backend {
  const known = catalogue[mount.kind];
  const make = Object.hasOwn(known, mount.type) ? known[mount.type] : undefined;
  if (make === undefined) throw refuse(`plugin not found in the catalog: ${mount.type}`, 400, 'unknown-type');
  return make(mount);
}

export function putMount(store: StorageView, mount: MountEntry): void {
  store.put(mountKey(mount.kind, mount.path), mount);
}

/** Fills the router from the store after unsealing; a mount of an unknown type is left out, loudly. */
export function loadMounts(store: StorageView, router: Router, catalogue: Catalogue, log: Logger): void {
  for (const path of store.all('core/mounts/')) {
    const entry = store.get<MountEntry>(`core/mounts/${path}`);
    if (entry === undefined) continue;
    try {
      router.set({ entry, backend: backendFor(catalogue, entry) });
    } catch {
      log.error('a mount of a type that this program does not know is not served', {
        path,
        type: entry.type,
      });
    }
  }
}
