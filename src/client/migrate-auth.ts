import type { StoreMigration } from './store-migration.ts';

type Fields = Readonly<Record<string, unknown>>;

interface AuthParts {
  readonly config?: string;
  /** The list of what is below it is copied one by one. */
  readonly roles?: string;
  /** What cannot be read, and so not be taken along. */
  readonly left?: string;
}

const parts: Readonly<Record<string, AuthParts>> = {
  kubernetes: {
    config: 'config',
    roles: 'role',
    left: 'token_reviewer_jwt is never shown: write it anew if it was set',
  },
  jwt: { config: 'config', roles: 'role' },
  cert: { roles: 'certs' },
  approle: { roles: 'role', left: 'secret ids are kept as hashes: make new ones' },
  userpass: { left: 'passwords are kept as hashes: make the users anew' },
};

/** Old names of role fields that are shown beside the new ones, and what is no setting. */
const shadows = ['policies', 'ttl', 'max_ttl', 'period', 'num_uses', 'bound_cidrs', 'token_reviewer_jwt_set'];

/** Configuration and roles of an auth mount. @param mount with trailing slash, without `auth/` */
export async function migrateAuthMount(
  migration: StoreMigration,
  mount: string,
  type: string,
): Promise<void> {
  const known = parts[type];
  const base = `auth/${mount}`;
  if (known === undefined) {
    migration.note(base, 'left', `this program does not know what belongs to the type ${type}`);
    return;
  }
  const config = known.config && (await migration.read(migration.source, base + known.config));
  if (config) await migration.put(base + known.config, settings(config));
  for (const name of known.roles === undefined ? [] : await migration.source.list(base + known.roles)) {
    const path = `${base}${known.roles}/${name}`;
    const role = await migration.read(migration.source, path);
    if (role !== undefined) await migration.put(path, settings(role));
    if (type === 'approle') await migrateRoleId(migration, path);
  }
  if (known.left !== undefined) migration.note(base, 'left', known.left);
}

async function migrateRoleId(migration: StoreMigration, role: string): Promise<void> {
  const found = await migration.read(migration.source, `${role}/role-id`);
  if (found !== undefined) await migration.put(`${role}/role-id`, { role_id: found.role_id });
}

function settings(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([key, value]) => {
      const isShadow = shadows.includes(key) && (`token_${key}` in fields || key.endsWith('_set'));
      return value !== null && value !== '' && !isShadow && key !== 'local_secret_ids';
    }),
  );
}
