import { messageOf } from '../../../lib/errors.ts';
import { type Fields, listOf, type Schema, textOf, toSeconds } from '../../core/fields.ts';
import type { MountConfig, MountEntry } from '../../core/mount-entry.ts';
import { refuse } from '../../core/refusal.ts';
import { readLockout } from './lockout-config.ts';

/** Fields of `config` when mounting, and of a tune. TTLs are texts, since `""` and `system` have their own meaning. */
export const tuneSchema: Schema = {
  default_lease_ttl: 'string',
  max_lease_ttl: 'string',
  force_no_cache: 'bool',
  description: 'string',
  listing_visibility: 'string',
  token_type: 'string',
  options: 'texts',
  audit_non_hmac_request_keys: 'list',
  audit_non_hmac_response_keys: 'list',
  passthrough_request_headers: 'list',
  allowed_response_headers: 'list',
  user_lockout_config: 'map',
};

const lists = [
  'audit_non_hmac_request_keys',
  'audit_non_hmac_response_keys',
  'passthrough_request_headers',
  'allowed_response_headers',
] as const;

/** What was sent over what was there. @throws Refusal 400 */
export function readMountConfig(
  fields: Fields,
  before: MountConfig,
  { type, kind }: Pick<MountEntry, 'type' | 'kind'>,
  verb: 'enable' | 'tune',
): MountConfig {
  const config: Record<string, unknown> = {
    ...before,
    default_lease_ttl: ttl(fields, 'default_lease_ttl', before.default_lease_ttl, verb),
    max_lease_ttl: ttl(fields, 'max_lease_ttl', before.max_lease_ttl, verb),
  };
  if (typeof fields.force_no_cache === 'boolean') config.force_no_cache = fields.force_no_cache;
  for (const name of lists) if (name in fields) config[name] = listOf(fields, name);
  if ('listing_visibility' in fields) config.listing_visibility = textOf(fields, 'listing_visibility');
  if ('token_type' in fields && kind === 'auth')
    config.token_type = textOf(fields, 'token_type') || 'default-service';
  const lockout = (fields.user_lockout_config ?? {}) as Fields;
  if (Object.keys(lockout).length > 0) config.lockout = readLockout(lockout, before.lockout, type);
  const wanted = config as unknown as MountConfig; // assembled from a MountConfig and checked fields
  refuseLongDefault(wanted, verb);
  return wanted;
}

function refuseLongDefault(
  { default_lease_ttl: usual, max_lease_ttl: most }: MountConfig,
  verb: string,
): void {
  if (most === 0 || usual <= most) return;
  throw refuse(
    verb === 'enable'
      ? 'given default lease TTL greater than given max lease TTL'
      : `backend max lease TTL of ${most} would be less than backend default lease TTL of ${usual}`,
  );
}

/** @throws Refusal 400 */
export function checkVisibility(fields: Fields): void {
  const said = textOf(fields, 'listing_visibility');
  if (!['', 'unauth', 'hidden'].includes(said)) throw refuse(`invalid listing_visibility ${said}`);
}

/** @throws Refusal 400: a login must not give another kind of token than somebody meant */
export function checkTokenType(fields: Fields): void {
  const said = textOf(fields, 'token_type');
  if (!['', 'service', 'batch', 'default-service', 'default-batch'].includes(said))
    throw refuse("invalid value for 'token_type'");
}

/** `""` keeps, `system` and 0 mean the system's own. */
function ttl(fields: Fields, name: string, before: number, verb: 'enable' | 'tune'): number {
  const said = textOf(fields, name);
  if (said === '') return before;
  if (said === 'system') return 0;
  try {
    return toSeconds(said);
  } catch (error) {
    const kind = name.startsWith('max') ? 'max' : 'default';
    throw refuse(`${verb === 'enable' ? `unable to parse ${kind} TTL of ${said}: ` : ''}${messageOf(error)}`);
  }
}
