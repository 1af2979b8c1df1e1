import type { Context } from '../../core/backend.ts';
import { booleanOf, coerceFields, type Fields, textOf } from '../../core/fields.ts';
import { type MountEntry, mountKey, systemTtl } from '../../core/mount-entry.ts';
import { backendFor, defaultMountConfig, newMount, putMount } from '../../core/mounts.ts';
import { refuse } from '../../core/refusal.ts';
import { checkTokenType, checkVisibility, readMountConfig, tuneSchema } from './mount-config.ts';

type Kind = MountEntry['kind'];

export const mountSchema = {
  type: 'string',
  description: 'string',
  config: 'map',
  options: 'texts',
  local: 'bool',
  seal_wrap: 'bool',
  plugin_name: 'string',
  external_entropy_access: 'bool',
} as const;

/** `generic` and `kv-v1` are old names of kv version 1. */
const aliases: Readonly<Record<string, { readonly type: string; readonly version: string }>> = {
  'kv-v1': { type: 'kv', version: '1' },
  'kv-v2': { type: 'kv', version: '2' },
  generic: { type: 'kv', version: '1' },
};

/** Adds a row to one of the two tables. @throws Refusal 400 */
export function enableMount(context: Context, kind: Kind, path: string): undefined {
  const { fields, services, transaction, random } = context;
  const sent = (fields.config as Fields | undefined) ?? {};
  const given = coerceFields(tuneSchema, { ...sent, options: null });
  const named = textOf(fields, 'type');
  const alias = Object.hasOwn(aliases, named) ? aliases[named] : undefined;
  const type = alias?.type ?? named;
  const config = readMountConfig(given, defaultMountConfig, { type, kind }, 'enable');
  refuseLongDefault(context, config);
  if (kind === 'auth') checkTokenType(given);
  const options = optionsOf(fields, sent, alias?.version);
  checkType(context, kind, named, type, options);
  checkVisibility(given);
  checkPath(context, kind, path);
  const entry = newMount(
    {
      kind,
      path,
      type,
      description: textOf(fields, 'description'),
      config,
      options: Object.keys(options).length === 0 ? null : options,
      local: booleanOf(fields, 'local'),
      sealWrap: booleanOf(fields, 'seal_wrap'),
    },
    random,
  );
  const backend = backendFor(services.catalogue, entry);
  putMount(transaction, entry);
  transaction.afterCommit(() => services.router.set({ entry, backend }));
}

/** They may stand in `config`, too, where older clients put them. */
function optionsOf(fields: Fields, config: Fields, version: string | undefined): Record<string, string> {
  const options = { ...(fields.options as Record<string, string> | undefined) };
  for (const [key, value] of Object.entries((config.options as Fields | null | undefined) ?? {})) {
    options[key] = String(value);
  }
  if (version !== undefined) options.version = version;
  return options;
}

function checkType(
  { services }: Context,
  kind: Kind,
  named: string,
  type: string,
  { version = '' }: Readonly<Record<string, string>>,
): void {
  if (named === '') throw refuse('backend type must be specified as a string');
  if (kind === 'auth' && type === 'token') throw refuse('token credential backend cannot be instantiated');
  if (singletons.includes(type)) throw refuse(`mount type of "${type}" is not mountable`);
  if (kind === 'secret' && type === 'kv') {
    if (!['', '1', '2'].includes(version)) throw refuse(`kv has no version "${version}"`);
    return;
  }
  if (!Object.hasOwn(services.catalogue[kind], type))
    throw refuse(`plugin not found in the catalog: ${named}`, 400, 'unknown-type');
  if (version !== '')
    throw refuse(
      `${kind === 'auth' ? 'auth method' : 'secrets engine'} "${named}" does not allow setting a version`,
    );
}

const singletons = ['token', 'system', 'cubbyhole', 'identity'];

function refuseLongDefault({ mount }: Context, config: MountEntry['config']): void {
  const most = mount.system?.maxTtl ?? systemTtl;
  if (config.max_lease_ttl === 0 && config.default_lease_ttl > most)
    throw refuse(`given default lease TTL greater than system max lease TTL of ${most}`);
}

function checkPath({ services, transaction }: Context, kind: Kind, path: string): void {
  if (path === '/') throw refuse('backend path must be specified as a string');
  if (kind === 'secret' && /^(auth|sys|cubbyhole|identity|audit)\//.test(path))
    throw refuse(`cannot mount "${path}"`);
  // Read in the transaction too: of two calls at once, the second sees the first.
  const taken = transaction.get(mountKey(kind, path)) !== undefined;
  const other = services.router.conflict(kind === 'auth' ? `auth/${path}` : path)?.replace(/^auth\//, '');
  const conflict = taken ? path : other;
  if (conflict !== undefined) throw refuse(`path is already in use at ${conflict}`, 400, 'mount-exists');
}
