import { BlockList, isIP } from 'node:net';
import type { Refusal } from './refusal.ts';
import { denied } from './refusal.ts';
import type { VaultRequest } from './request.ts';
import type { Services } from './services.ts';
import type { StorageView } from './storage.ts';
import type { RequestAuth } from './tokens.ts';

/**
 * Who asks. Wrong, unknown, expired and foreign-address tokens look alike on the wire; the refusal's code and message
 * say which for the log.
 */
export function authenticate(
  services: Services,
  store: StorageView,
  request: VaultRequest,
  now: number,
): RequestAuth | Refusal {
  const { token: clientToken } = request;
  if (clientToken === undefined || clientToken === '') return denied('token-missing', 'no token was sent');
  const token = services.tokens.find(store, services.tokens.keyOf(clientToken));
  if (token === undefined) return denied('token-unknown', 'the token is unknown, revoked or expired');
  const lease = token.leaseId === '' ? undefined : services.leases.get(token.leaseId);
  if (token.leaseId !== '' && (lease === undefined || lease.expires <= now)) {
    return denied('token-expired', 'the token is expired');
  }
  if (token.numUses < 0) return denied('token-used-up', 'the token has been used as often as it may');
  if (!addressAllowed(request.remoteAddress, token.boundCidrs)) {
    return denied('token-address', 'the token is bound to other addresses');
  }
  return { token, lease, acl: services.policies.aclOf(store, token.policies), clientToken };
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
