import { goDuration } from '../../../lib/duration.ts';
import type { Context } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import { noTokens, readRoleTokens, roleTokenFields, roleTokenSchemaOf } from '../../core/role-fields.ts';
import { uuidOf } from '../../core/uuid.ts';
import { checkCidrs } from './cidr.ts';
import { type AppRole, roleOfId } from './store.ts';

const legacy = ['policies', 'period'] as const;

export const roleSchema: Schema = {
  ...roleTokenSchemaOf(legacy),
  role_id: 'string',
  bind_secret_id: 'bool',
  secret_id_bound_cidrs: 'list',
  bound_cidr_list: 'list',
  secret_id_num_uses: 'int',
  secret_id_ttl: 'seconds',
  local_secret_ids: 'bool',
};

/** Applies what was sent to what was there, or to the defaults. @throws Refusal */
export function readRoleFields(
  context: Context,
  fields: Fields,
  name: string,
  before: AppRole | undefined,
): AppRole {
  if (before !== undefined && 'local_secret_ids' in fields) {
    throw refuse('local_secret_ids can only be modified during role creation');
  }
  const start = before ?? newRole(context, name);
  const role: AppRole = {
    ...start,
    roleId: textOf(fields, 'role_id', start.roleId),
    bindSecretId: booleanOf(fields, 'bind_secret_id', start.bindSecretId),
    secretIdBoundCidrs: secretCidrs(fields, start.secretIdBoundCidrs),
    secretIdNumUses: numberOf(fields, 'secret_id_num_uses', start.secretIdNumUses),
    secretIdTtl: numberOf(fields, 'secret_id_ttl', start.secretIdTtl),
    localSecretIds: booleanOf(fields, 'local_secret_ids', start.localSecretIds),
    tokens: readRoleTokens(fields, start.tokens, legacy),
  };
  checkRole(context, role);
  return role;
}

function newRole({ random }: Context, name: string): AppRole {
  return {
    name: name.toLowerCase(),
    roleId: uuidOf(random(16)),
    hmacKey: random(32).toString('base64'),
    bindSecretId: true,
    secretIdBoundCidrs: null,
    secretIdNumUses: 0,
    secretIdTtl: 0,
    localSecretIds: false,
    tokens: noTokens,
  };
}

function secretCidrs(fields: Fields, before: AppRole['secretIdBoundCidrs']): AppRole['secretIdBoundCidrs'] {
  const name = 'secret_id_bound_cidrs' in fields ? 'secret_id_bound_cidrs' : 'bound_cidr_list';
  return name in fields ? listOf(fields, name) : before;
}

function checkRole({ store, mount }: Context, role: AppRole): void {
  if (role.roleId === '') throw refuse('invalid role_id supplied, or failed to generate a role_id');
  checkCidrs(role.secretIdBoundCidrs ?? []);
  if (role.secretIdNumUses < 0) throw refuse('secret_id_num_uses cannot be negative');
  const max = effectiveMaxTtl(mount);
  if (role.tokens.period > max) {
    const [period, most] = [goDuration(role.tokens.period * 1000), goDuration(max * 1000)];
    throw refuse(`period of "${period}" is greater than the backend's maximum lease TTL of "${most}"`);
  }
  if (!hasConstraint(role)) {
    throw refuseWrapped('at least one constraint should be enabled on the role', 500, 'no-constraint');
  }
  const owner = roleOfId(store, role.roleId);
  if (owner !== undefined && owner.name !== role.name) {
    throw refuseWrapped('role_id already in use', 500, 'role-id-taken');
  }
}

const hasConstraint = ({ bindSecretId, secretIdBoundCidrs, tokens }: AppRole): boolean =>
  bindSecretId || (secretIdBoundCidrs ?? []).length > 0 || tokens.boundCidrs.length > 0;

export function roleFields(role: AppRole): Fields {
  return {
    bind_secret_id: role.bindSecretId,
    local_secret_ids: role.localSecretIds,
    secret_id_bound_cidrs: role.secretIdBoundCidrs,
    secret_id_num_uses: role.secretIdNumUses,
    secret_id_ttl: role.secretIdTtl,
    ...roleTokenFields(role.tokens),
  };
}
