import { migrateAuthMount } from './migrate-auth.ts';
import { migrateKvV1, migrateKvV2 } from './migrate-kv.ts';
import { type MigrationOptions, StoreMigration } from './store-migration.ts';

type Fields = Readonly<Record<string, unknown>>;

const ownMounts = [
  'system',
  'cubbyhole',
  'identity',
  'token',
  'ns_system',
  'ns_cubbyhole',
  'ns_identity',
  'ns_token',
];

/** Types whose secrets never leave them. */
const closed: Readonly<Record<string, string>> = {
  pki: 'private keys are never shown: make an authority there, or rotate to one',
  transit: 'keys are shown only where they were made exportable: make them there and rewrap',
};

/**
 * Copies from one Vault to another what both can say over HTTP: policies, mounts, kv secrets with their versions, auth
 * mounts with configuration and roles, identity entities. What is there already is left as it is, so that it may be run
 * again; what cannot be taken along is said.
 * @throws VaultError when one of the two refuses
 */
export async function migrateStore(options: MigrationOptions): Promise<void> {
  const migration = new StoreMigration(options);
  await migratePolicies(migration);
  await migrateMounts(migration);
  await migrateAuth(migration);
  await migrateEntities(migration);
  migration.note('tokens and leases', 'left', 'tokens are kept as hashes: clients log in anew');
  migration.note('audit devices', 'left', 'they name files and sockets of the machine: declare them there');
}

async function migratePolicies(migration: StoreMigration): Promise<void> {
  for (const name of await migration.source.list('sys/policies/acl')) {
    if (name === 'root') continue;
    if (name === 'default') {
      migration.note('sys/policies/acl/default', 'left', 'the target keeps its own');
      continue;
    }
    const path = `sys/policies/acl/${name}`;
    const policy = (await migration.read(migration.source, path))?.policy;
    if (typeof policy === 'string') await migration.put(path, { policy });
  }
}

async function migrateMounts(migration: StoreMigration): Promise<void> {
  for (const [mount, info] of await table(migration, 'sys/mounts')) {
    if (!(await ensureMount(migration, `sys/mounts/${mount}`, info))) continue;
    const type = String(info.type);
    const version = (info.options as Fields | null)?.version;
    if (type === 'kv') await (version === '2' ? migrateKvV2 : migrateKvV1)(migration, mount);
    else
      migration.note(
        mount,
        'left',
        closed[type] ?? `this program does not know what belongs to the type ${type}`,
      );
  }
}

async function migrateAuth(migration: StoreMigration): Promise<void> {
  for (const [mount, info] of await table(migration, 'sys/auth')) {
    if (await ensureMount(migration, `sys/auth/${mount}`, info)) {
      await migrateAuthMount(migration, mount, String(info.type));
    }
  }
}

async function table(migration: StoreMigration, path: string): Promise<[string, Fields][]> {
  const mounts = Object.entries((await migration.source.read(path))?.data ?? {}) as [string, Fields][];
  return mounts.filter(([, { type }]) => !ownMounts.includes(String(type)));
}

/** Whether the target has (or in a dry run would have) such a mount. */
async function ensureMount(migration: StoreMigration, path: string, info: Fields): Promise<boolean> {
  const bare = path.replace(/\/$/, '');
  const there = await migration.targetData(bare);
  if (there !== undefined) {
    const isSame =
      there.type === info.type &&
      (there.options as Fields | null)?.version === (info.options as Fields | null)?.version;
    if (isSame) migration.note(bare, 'same');
    else migration.note(bare, 'left', `the target has a mount of type ${there.type} there`);
    return isSame;
  }
  const { default_lease_ttl, max_lease_ttl } = info.config as Fields;
  const { type, description, options } = info;
  const config = { default_lease_ttl, max_lease_ttl };
  if (!migration.dryRun) await migration.target.write(bare, { type, description, options, config });
  migration.note(bare, 'made');
  return true;
}

/** Entities by name, with their aliases at the mounts of the same path. */
async function migrateEntities(migration: StoreMigration): Promise<void> {
  const accessors = await accessorMap(migration);
  for (const name of await migration.source.list('identity/entity/name')) {
    const path = `identity/entity/name/${name}`;
    const entity = await migration.read(migration.source, path);
    if (entity === undefined) continue;
    const { metadata, policies, disabled, aliases } = entity;
    await migration.put(path, {
      ...(metadata === null ? {} : { metadata }),
      policies: policies ?? [],
      disabled,
    });
    const id = (await migration.targetData(path))?.id;
    if (migration.dryRun || id === undefined) continue;
    for (const alias of (aliases ?? []) as readonly Fields[]) {
      const accessor = accessors.get(String(alias.mount_accessor));
      if (accessor === undefined) continue;
      const wanted = { name: alias.name, canonical_id: id, mount_accessor: accessor };
      await migration.target.write('identity/entity-alias', wanted);
    }
  }
}

async function accessorMap(migration: StoreMigration): Promise<Map<string, string>> {
  const target = (await migration.target.read('sys/auth'))?.data ?? {};
  const pairs = (await table(migration, 'sys/auth')).flatMap(([mount, { accessor }]) => {
    const there = (target[mount] as Fields | undefined)?.accessor;
    return there === undefined ? [] : [[String(accessor), String(there)] as const];
  });
  return new Map(pairs);
}
