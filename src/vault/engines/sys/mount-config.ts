import { coerceFields, type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type MountConfig, systemTtl } from '../../core/mount-entry.ts';
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

/** What was sent over what was there. @param type of the mount. @throws Refusal 400 */
export function readMountConfig(fields: Fields, before: MountConfig, type: string): MountConfig {
  const config: Record<string, unknown> = {
    ...before,
    default_lease_ttl: ttl(fields, 'default_lease_ttl', before.default_lease_ttl),
    max_lease_ttl: ttl(fields, 'max_lease_ttl', before.max_lease_ttl),
  };
  if (typeof fields.force_no_cache === 'boolean') config.force_no_cache = fields.force_no_cache;
  for (const name of lists) if (name in fields) config[name] = listOf(fields, name);
  const visibility = textOf(fields, 'listing_visibility');
  if (!['', 'unauth', 'hidden'].includes(visibility))
    throw refuse(`invalid listing visibility type: ${visibility}`);
  if ('listing_visibility' in fields) config.listing_visibility = visibility;
  if ('token_type' in fields && fields.token_type !== '') config.token_type = fields.token_type;
  const lockout = (fields.user_lockout_config ?? {}) as Fields;
  if (Object.keys(lockout).length > 0) config.lockout = readLockout(lockout, before.lockout, type);
  const wanted = config as unknown as MountConfig; // assembled from a MountConfig and checked fields
  const max = wanted.max_lease_ttl === 0 ? systemTtl : wanted.max_lease_ttl;
  if (wanted.default_lease_ttl > max && wanted.max_lease_ttl !== 0) {
    throw refuse('given default lease TTL greater than given max lease TTL');
  }
  return wanted;
}

/** `""` keeps, `system` and 0 mean the system's own. */
function ttl(fields: Fields, name: string, before: number): number {
  const said = textOf(fields, name);
  if (said === '') return before;
  return said === 'system' ? 0 : numberOf(coerceFields({ [name]: 'seconds' }, { [name]: said }), name);
}
