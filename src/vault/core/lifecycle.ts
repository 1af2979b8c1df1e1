import { coerceFields, type Fields, numberOf, textOf } from './fields.ts';
import { Refusal, refuse } from './refusal.ts';
import type { Reply, VaultRequest } from './request.ts';
import { buildDate, serverVersion } from './server-version.ts';
import { bytesOf, shareOf } from './share-text.ts';
import type { VaultCore } from './vault-core.ts';

type LifecycleHandler = (core: VaultCore, request: VaultRequest, now: number) => Reply | Promise<Reply>;

/**
 * Calls that work without an open store, without a token and without envelope. Undefined when `path` is none of them.
 * @param now milliseconds
 */
export async function handleLifecycle(
  core: VaultCore,
  request: VaultRequest,
  now: number,
): Promise<Reply | undefined> {
  const handlers = Object.hasOwn(table, request.path) ? table[request.path] : undefined;
  if (handlers === undefined) return undefined;
  const handler =
    request.operation === 'read'
      ? handlers.read
      : request.operation === 'update'
        ? handlers.write
        : undefined;
  try {
    if (handler === undefined) throw new Refusal(405, 'unsupported-operation', []);
    return await handler(core, request, now);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status ?? 500, body: { errors: error.errors } };
  }
}

const table: Readonly<
  Record<string, { readonly read?: LifecycleHandler; readonly write?: LifecycleHandler }>
> = {
  'sys/init': { read: (core) => ok({ initialized: core.status().initialized }), write: init },
  'sys/seal-status': { read: (core) => ok(sealStatus(core)) },
  'sys/unseal': { write: unseal },
  'sys/seal': { write: seal },
  'sys/storage/raft/snapshot': { read: (core, request) => core.handle(request), write: restore },
  'sys/storage/raft/snapshot-force': { write: restore },
  'sys/health': { read: health },
  'sys/leader': { read: () => ok(leader) },
};

const ok = (body: object): Reply => ({ status: 200, body });

const leader = {
  ha_enabled: false,
  is_self: false,
  active_time: '0001-01-01T00:00:00Z',
  leader_address: '',
  leader_cluster_address: '',
  performance_standby: false,
  performance_standby_last_remote_wal: 0,
};

const initSchema = {
  secret_shares: 'int',
  secret_threshold: 'int',
  pgp_keys: 'list',
  root_token_pgp_key: 'string',
  recovery_shares: 'int',
  recovery_threshold: 'int',
  recovery_pgp_keys: 'list',
} as const;

async function init(core: VaultCore, { data }: VaultRequest): Promise<Reply> {
  const fields = coerceFields(initSchema, data);
  const isSaid = (name: string): boolean => {
    const value = fields[name];
    return typeof value === 'string' || Array.isArray(value) ? value.length > 0 : (value ?? 0) !== 0;
  };
  const recovery = ['recovery_shares', 'recovery_threshold', 'recovery_pgp_keys'].filter(isSaid);
  if (recovery.length > 0)
    throw refuse(`parameters ${recovery.join(',')} not applicable to seal type shamir`);
  // Who asks for keys that only they can read must not get them in clear.
  for (const name of ['pgp_keys', 'root_token_pgp_key']) {
    if (isSaid(name) && !core.status().initialized)
      throw refuse(`${name} is not offered by this server: it has no OpenPGP`);
  }
  const config = {
    shares: numberOf(fields, 'secret_shares'),
    threshold: numberOf(fields, 'secret_threshold'),
  };
  const { shares, rootToken } = await core.init(config);
  return ok({
    keys: shares.map((share) => share.toString('hex')),
    keys_base64: shares.map((share) => share.toString('base64')),
    root_token: rootToken,
  });
}

function sealStatus(core: VaultCore): Fields {
  const { initialized, sealed, threshold, shares, progress, nonce, storageType, clusterId } = core.status();
  return {
    type: 'shamir',
    initialized,
    sealed,
    t: threshold,
    n: shares,
    progress,
    nonce,
    version: serverVersion,
    build_date: buildDate,
    commit_date: buildDate,
    migration: false,
    recovery_seal: false,
    storage_type: storageType,
    ...(clusterId === undefined ? {} : { cluster_name: 'meshroot', cluster_id: clusterId }),
  };
}

async function unseal(core: VaultCore, { data }: VaultRequest): Promise<Reply> {
  if (data.reset === true) {
    if (!core.status().sealed) throw refuse('vault is unsealed');
    core.resetUnseal();
    return ok(sealStatus(core));
  }
  const key = textOf(data, 'key');
  if (key === '') throw refuse("'key' must be specified in request body as JSON, or 'reset' set to true");
  // An open store says how it is, whatever share it is shown.
  if (core.status().sealed) await core.unseal(shareOf(key));
  else bytesOf(key);
  return ok(sealStatus(core));
}

/** Whether the caller may is decided, and recorded, like any other call. */
async function seal(core: VaultCore, request: VaultRequest): Promise<Reply> {
  const reply = await core.handle(request);
  if (reply.status === 204) core.seal();
  return reply;
}

/** Likewise; the call has received and checked the snapshot, and its answer comes after the swap. */
async function restore(core: VaultCore, request: VaultRequest): Promise<Reply> {
  const reply = await core.handle(request);
  if (reply.status === 204) await core.restore();
  return reply;
}

function health(core: VaultCore, { data }: VaultRequest, now: number): Reply {
  const { initialized, sealed, clusterId } = core.status();
  const [name, code] = !initialized
    ? ['uninitcode', 501]
    : sealed
      ? ['sealedcode', 503]
      : ['activecode', 200];
  for (const flag of ['standbyok', 'perfstandbyok']) {
    const said = data[flag] ?? '';
    if (!/^(|1|t|true|0|f|false)$/i.test(String(said)))
      throw new Refusal(400, 'bad-flag', [], `${flag} is no bool`);
  }
  const status = data[String(name)] === undefined ? Number(code) : Number(data[String(name)]);
  if (!Number.isInteger(status) || status < 100 || status > 599)
    throw new Refusal(400, 'bad-status-code', [], `${name} is no status code`);
  return {
    status,
    body: {
      initialized,
      sealed,
      standby: sealed,
      performance_standby: false,
      replication_performance_mode: sealed ? 'unknown' : 'disabled',
      replication_dr_mode: sealed ? 'unknown' : 'disabled',
      server_time_utc: Math.floor(now / 1000),
      version: serverVersion,
      ...(clusterId === undefined ? {} : { cluster_name: 'meshroot', cluster_id: clusterId }),
    },
  };
}
