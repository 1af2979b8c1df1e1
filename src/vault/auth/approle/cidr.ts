import { BlockList, isIP } from 'node:net';
import { refuseWrapped } from '../../core/refusal.ts';

/** @throws Refusal 500, as upstream, when one is no network in CIDR notation */
export function checkCidrs(cidrs: readonly string[], what = 'CIDR blocks'): void {
  for (const cidr of cidrs) {
    if (parse(cidr) === undefined) {
      throw refuseWrapped(`failed to validate ${what}: invalid CIDR address: ${cidr}`, 500, 'bad-cidr');
    }
  }
}

/** @throws Refusal 500 when `cidrs` reach further than the role's */
export function checkSubset(cidrs: readonly string[], ofRole: readonly string[]): void {
  if (ofRole.length === 0 || cidrs.every((cidr) => ofRole.some((wide) => contains(wide, cidr)))) return;
  const text = `failed to verify subset relationship between CIDR blocks on the role ${list(ofRole)} and CIDR blocks on the secret ID ${list(cidrs)}`;
  throw refuseWrapped(text, 500, 'cidr-not-subset');
}

const list = (cidrs: readonly string[]): string => `[${cidrs.map((cidr) => JSON.stringify(cidr)).join(' ')}]`;

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parse(cidr: string): Network | undefined {
  const [address = '', bits = '', ...more] = cidr.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const most = family === 'ipv6' ? 128 : 32;
  if (isIP(address) === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most)
    return undefined;
  return { address, bits: Number(bits), family };
}

function contains(wide: string, narrow: string): boolean {
  const outer = parse(wide.includes('/') ? wide : `${wide}/${isIP(wide) === 6 ? 128 : 32}`);
  const inner = parse(narrow);
  if (outer === undefined || inner === undefined || outer.family !== inner.family) return false;
  const network = new BlockList();
  network.addSubnet(outer.address, outer.bits, outer.family);
  return inner.bits >= outer.bits && network.check(inner.address, inner.family);
}
