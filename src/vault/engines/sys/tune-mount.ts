import type { Context } from '../../core/backend.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import {
  effectiveDefaultTtl,
  effectiveMaxTtl,
  fullPath,
  type MountEntry,
  mountKey,
  viewPrefix,
} from '../../core/mount-entry.ts';
import { backendFor, putMount } from '../../core/mounts.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { lockoutFields } from './lockout-config.ts';
import { checkTokenType, checkVisibility, readMountConfig, tuneSchema } from './mount-config.ts';

/** A mount's settings as they count; lease times where nothing was said are the server's. */
export function tunedFields(entry: MountEntry): Fields {
  const { config, options, kind } = entry;
  const { lockout, ...shown } = config;
  return {
    ...shown,
    ...(lockout === undefined ? {} : lockoutFields(lockout)),
    default_lease_ttl: effectiveDefaultTtl(entry),
    max_lease_ttl: effectiveMaxTtl(entry),
    description: entry.description,
    ...(options === null ? {} : { options }),
    ...(kind === 'auth' ? { token_type: config.token_type ?? 'default-service' } : {}),
  };
}

/** Changes what was said of it, and nothing else. @throws Refusal 400 */
export function tuneMount(context: Context, entry: MountEntry): Result | undefined {
  const { fields, services, transaction, clock } = context;
  const before = transaction.get<MountEntry>(mountKey(entry.kind, entry.path)) ?? entry;
  refuseBuiltin(context, before);
  checkVisibility(fields);
  if ('token_type' in fields) refuseTokenType(fields, before);
  const version = versionChange(fields, before);
  const after: MountEntry = {
    ...before,
    config: readMountConfig(fields, before.config, before, 'tune'),
    description: textOf(fields, 'description', before.description),
    options: tunedOptions(fields, before),
  };
  putMount(transaction, after);
  const backend = backendFor(services.catalogue, after);
  if (version !== undefined) backend.takeOver?.(transaction.at(viewPrefix(after)), clock.now());
  transaction.afterCommit(() => services.router.set({ entry: after, backend }));
  if (version === undefined) return undefined;
  const warning = `Upgrading mount from version ${version.from} to version ${version.to}. This mount will be unavailable for a brief period and will resume service shortly.`;
  return { data: null, warnings: [warning] };
}

/** Of the store's own mounts nothing may be changed but what audit records show in clear. */
function refuseBuiltin({ data }: Context, entry: MountEntry): void {
  if (entry.kind !== 'secret' || !['sys/', 'cubbyhole/', 'identity/'].includes(entry.path)) return;
  const changed = Object.keys(data)
    .filter((name) => Object.hasOwn(tuneSchema, name))
    .sort();
  const name = changed.find((field) => !field.startsWith('audit_non_hmac_'));
  if (name !== undefined) throw refuse(`cannot tune parameter ${name} of ${fullPath(entry)}`);
}

function refuseTokenType(fields: Fields, { kind, type }: MountEntry): void {
  if (kind !== 'auth') throw refuse("'token_type' can only be modified on auth mounts");
  if (type === 'token') throw refuse("'token_type' cannot be set for 'token' or 'ns_token' auth mounts");
  checkTokenType(fields);
}

/** A kv mount may get versions, and not lose them; undefined when it stays as it is. */
function versionChange(
  fields: Fields,
  before: MountEntry,
): { readonly from: number; readonly to: number } | undefined {
  const said = (fields.options as Record<string, string> | undefined)?.version;
  if (said === undefined) return undefined;
  const from = Number(before.options?.version ?? 0);
  if (!/^[-+]?\d+$/.test(said))
    throw refuse(`unable to parse options: strconv.ParseInt: parsing "${said}": invalid syntax`);
  const to = Number(said);
  if (to !== 1 && to !== 2) throw refuse(`invalid version provided: ${to}`);
  if (from > to) throw refuse(`cannot downgrade mount from version ${from}`);
  return from < to ? { from, to } : undefined;
}

function tunedOptions(fields: Fields, { options }: MountEntry): MountEntry['options'] {
  const said = (fields.options as Record<string, string> | undefined) ?? {};
  if (Object.keys(said).length === 0) return options;
  const kept = Object.entries({ ...options, ...said }).filter(
    ([name, value]) => value !== '' || name === 'version',
  );
  return Object.fromEntries(kept);
}
