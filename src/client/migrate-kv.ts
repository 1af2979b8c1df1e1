import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../lib/records.ts';
import type { StoreMigration } from './store-migration.ts';
import type { VaultClient } from './vault-client.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Every secret of a kv mount of version 1. @param mount with trailing slash */
export async function migrateKvV1(migration: StoreMigration, mount: string): Promise<void> {
  for await (const name of names(migration.source, mount)) {
    const data = await migration.read(migration.source, mount + name);
    if (data !== undefined) await migration.put(mount + name, data);
  }
}

/** Every secret of a kv mount of version 2, with its versions under their own numbers where they are still there. */
export async function migrateKvV2(migration: StoreMigration, mount: string): Promise<void> {
  const config = await migration.read(migration.source, `${mount}config`);
  if (config !== undefined) await migration.put(`${mount}config`, config);
  for await (const name of names(migration.source, `${mount}metadata/`)) {
    await migrateSecret(migration, mount, name);
  }
}

async function migrateSecret(migration: StoreMigration, mount: string, name: string): Promise<void> {
  const [from, to] = await Promise.all([
    migration.read(migration.source, `${mount}metadata/${name}`),
    migration.targetData(`${mount}metadata/${name}`),
  ]);
  const [wanted, there] = [Number(from?.current_version ?? 0), Number(to?.current_version ?? 0)];
  const what = `${mount}${name}`;
  if (there >= wanted) {
    const isSame = there === wanted && (await sameLatest(migration, mount, name));
    if (isSame) migration.note(what, 'same');
    else migration.note(what, 'left', `the target has its own version ${there}`);
    return;
  }
  if (!migration.dryRun) {
    for (let version = there + 1; version <= wanted; version++)
      await copyVersion(migration, mount, name, version);
    await migration.target.write(`${mount}metadata/${name}`, settingsOf(from ?? {}));
  }
  migration.note(what, there === 0 ? 'made' : 'changed');
}

/** A version that is gone is written empty and destroyed, so that the later ones keep their numbers. */
async function copyVersion(
  { source, target }: StoreMigration,
  mount: string,
  name: string,
  version: number,
): Promise<void> {
  const { status, body } = await source.request('GET', `${mount}data/${name}?version=${version}`);
  const data = status === 200 && isRecord(body) && isRecord(body.data) ? body.data.data : undefined;
  await target.write(`${mount}data/${name}`, { data: isRecord(data) ? data : {}, options: {} });
  if (!isRecord(data)) await target.write(`${mount}destroy/${name}`, { versions: [version] });
}

async function sameLatest(migration: StoreMigration, mount: string, name: string): Promise<boolean> {
  const path = `${mount}data/${name}`;
  const [from, to] = await Promise.all([migration.read(migration.source, path), migration.targetData(path)]);
  return isDeepStrictEqual(from?.data, to?.data);
}

const settingsOf = ({
  max_versions,
  cas_required,
  delete_version_after,
  custom_metadata,
}: Fields): Fields => ({
  max_versions,
  cas_required,
  delete_version_after,
  ...(custom_metadata === null || custom_metadata === undefined ? {} : { custom_metadata }),
});

/** All paths below `prefix` that are no folders. */
async function* names(client: VaultClient, prefix: string, below = ''): AsyncGenerator<string> {
  for (const key of await client.list(prefix + below)) {
    if (key.endsWith('/')) yield* names(client, prefix, below + key);
    else yield below + key;
  }
}
