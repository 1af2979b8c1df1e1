import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { checkSubset } from './cidr.ts';
import {
  type AppRole,
  deleteSecretId,
  putSecretId,
  readSecretId,
  roleOfId,
  type SecretIdEntry,
  secretDigest,
} from './store.ts';

const wrong = (): Error => refuse('invalid role or secret ID', 400, 'login-invalid-credentials');

/** A role id and one of its secret ids for a token. @throws Refusal; wrong role and wrong secret look alike */
export function login(context: Context): Result {
  const { fields, store, mount, services, clock } = context;
  const roleId = textOf(fields, 'role_id').trim();
  const secretId = textOf(fields, 'secret_id').trim();
  if (roleId === '') throw refuse('missing role_id', 500, 'login-role-missing');
  services.lockout.check(mount.accessor, roleId, clock);
  const role = roleOfId(store, roleId);
  if (role === undefined) {
    secretDigest('the work of a known role', secretId);
    throw wrong();
  }
  const secret = role.bindSecretId ? useSecretId(context, role, secretId) : undefined;
  checkAddress(context, role.secretIdBoundCidrs ?? [], 'role');
  services.lockout.succeeded(mount.accessor, roleId);
  const meta = { ...secret?.metadata, role_name: role.name };
  return issueLogin(context, {
    tokens: role.tokens,
    displayName: '',
    meta,
    alias: { name: role.roleId, metadata: meta },
    role: role.name,
    ...(secret === undefined || secret.tokenCidrs.length === 0 ? {} : { boundCidrs: secret.tokenCidrs }),
  });
}

/** Counts one use; the last one takes the secret id away. */
function useSecretId(context: Context, role: AppRole, secretId: string): SecretIdEntry {
  const { store, clock, services, mount } = context;
  if (secretId === '') throw refuse('missing secret_id', 400, 'login-secret-missing');
  const digest = secretDigest(role.hmacKey, secretId);
  const entry = readSecretId(store, role, digest, clock.now());
  if (entry === undefined) {
    services.lockout.failed(mount.accessor, role.roleId, clock);
    throw wrong();
  }
  checkSubset(entry.cidrs, role.secretIdBoundCidrs ?? []);
  checkAddress(context, entry.cidrs, 'secret ID');
  if (entry.numUses === 1) deleteSecretId(store, role, digest);
  if (entry.numUses > 1) {
    putSecretId(store, role, digest, { ...entry, numUses: entry.numUses - 1, updated: clock.now() });
  }
  return entry;
}

function checkAddress({ request }: Context, cidrs: readonly string[], where: 'role' | 'secret ID'): void {
  const address = request.remoteAddress.replace(/^::ffff:/, '');
  if (addressAllowed(address, cidrs)) return;
  const how = where === 'role' ? 'by' : 'through';
  const text = `source address "${address}" unauthorized ${how} CIDR restrictions on the ${where}`;
  throw refuse(text, 400, 'login-address');
}
