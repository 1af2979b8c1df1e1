import { BlockList, isIP } from 'node:net';
import type { Acl } from '../policy/acl.ts';
import type { Caller } from '../policy/templates.ts';
import { groupsOf } from './group-store.ts';
import { type Entity, entityOfToken } from './identity-store.ts';
import type { Refusal } from './refusal.ts';
import { denied } from './refusal.ts';
import type { VaultRequest } from './request.ts';
import type { RequestAuth } from './request-auth.ts';
import type { Services } from './services.ts';
import type { StorageView } from './storage.ts';
import type { TokenEntry } from './token-entry.ts';

/**
 * Who asks. Wrong, unknown, expired and foreign-address tokens look alike on the wire; the refusal's code and message
 * say which for the log.
 */
export function authenticate(
  services: Services,
  store: StorageView,
  request: VaultRequest,
): RequestAuth | Refusal {
  const { token: clientToken } = request;
  if (clientToken === undefined || clientToken === '') return denied('token-missing', 'no token was sent');
  const now = services.leases.now();
  const token = services.tokens.findToken(store, clientToken, now);
  if (token === undefined) return denied('token-unknown', 'the token is unknown, revoked or expired');
  const lease = token.leaseId === '' ? undefined : services.leases.get(token.leaseId, store);
  if (token.leaseId !== '' && (lease === undefined || lease.expires <= now)) {
    return denied('token-expired', 'the token is expired');
  }
  if (token.expires !== undefined && token.expires <= now) {
    return denied('token-expired', 'the token is expired');
  }
  if (token.type === 'batch' && services.router.find(token.path) === undefined) {
    return denied('token-unknown', 'the auth mount of the batch token is gone');
  }
  if (token.numUses < 0) return denied('token-used-up', 'the token has been used as often as it may');
  if (!addressAllowed(request.remoteAddress, token.boundCidrs)) {
    return denied('token-address', 'the token is bound to other addresses');
  }
  const entity = token.entityId === undefined ? undefined : entityOfToken(store, token.entityId);
  if (token.entityId !== undefined && entity === undefined)
    return denied('entity-gone', 'the entity behind the token was deleted');
  if (entity?.disabled === true) return denied('entity-disabled', 'the entity behind the token is disabled');
  const acl = aclOfToken(services, store, token);
  return { token, lease, acl, clientToken, ...(entity === undefined ? {} : { entity }) };
}

/** Whether the entity behind a token was deleted: then the token is good for nothing. */
export const hasNoOwner = (store: StorageView, { entityId }: TokenEntry): boolean =>
  entityId !== undefined && entityOfToken(store, entityId) === undefined;

/** What a token may do: its own policies and those of its entity, with the entity put into templates. */
export function aclOfToken(services: Services, store: StorageView, token: TokenEntry): Acl {
  const entity = token.entityId === undefined ? undefined : entityOfToken(store, token.entityId);
  const extra = identityPoliciesOf(store, entity);
  const names = extra.length === 0 ? token.policies : [...new Set([...token.policies, ...extra])].sort();
  return services.policies.aclOf(store, names, services.leases.now(), entity && withGroups(store, entity));
}

function withGroups(store: StorageView, entity: Entity): Caller {
  if ((entity.groupIds ?? []).length === 0) return entity;
  const { direct, inherited } = groupsOf(store, entity);
  return { ...entity, groups: [...direct, ...inherited] };
}

/** Whether `address` is in one of the networks; an empty list allows all. */
export function addressAllowed(address: string, cidrs: readonly string[]): boolean {
  if (cidrs.length === 0) return true;
  const bare = address.replace(/^::ffff:/, '');
  const family = isIP(bare) === 6 ? 'ipv6' : 'ipv4';
  const networks = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/');
    const kind = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(network) !== 0) networks.addSubnet(network, Number(bits ?? (kind === 'ipv6' ? 128 : 32)), kind);
  }
  return networks.check(bare, family);
}

/** Of the entity and of its groups, sorted. `root` is never given by an identity. */
export function identityPoliciesOf(store: StorageView, entity: Entity | undefined): readonly string[] {
  if (entity === undefined) return [];
  const own = entity.policies.filter((name) => name !== 'root');
  if ((entity.groupIds ?? []).length === 0) return own;
  const { direct, inherited } = groupsOf(store, entity);
  const ofGroups = [...direct, ...inherited].flatMap(({ policies }) => policies);
  return [...new Set([...own, ...ofGroups.filter((name) => name !== 'root')])].sort();
}
