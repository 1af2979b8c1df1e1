import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FunctionError } from '../values.ts';
import { define, type FunctionTable } from './define.ts';

export interface Address {
  readonly device: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
}

/** RFC 6890 and what else is nobody's public address. */
const forwardable = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  forwardable.addSubnet(net, bits, 'ipv4');
const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits, 'ipv4');

const isPrivate = ({ address, family }: Address): boolean =>
  family === 'IPv4' && forwardable.check(address, 'ipv4');
const isPublic = (a: Address): boolean =>
  a.family === 'IPv4' && !isPrivate(a) && !special.check(a.address, 'ipv4');

/** The named queries of go-sockaddr's language; its pipes of filters are not offered. */
const queries: Readonly<Record<string, (all: readonly Address[], device: string) => Address[]>> = {
  GetPrivateIP: (all) => all.filter(isPrivate).slice(0, 1),
  GetPrivateIPs: (all) => all.filter(isPrivate),
  GetPublicIP: (all) => all.filter(isPublic).slice(0, 1),
  GetPublicIPs: (all) => all.filter(isPublic),
  GetInterfaceIP: (all, device) => all.filter((a) => a.device === device).slice(0, 1),
  GetInterfaceIPs: (all, device) => all.filter((a) => a.device === device),
};

/** `sockaddr "GetPrivateIP"`, `sockaddr "GetInterfaceIP \\"eth0\\""`. */
export function sockaddrFunctions(addresses: () => readonly Address[] = ownAddresses): FunctionTable {
  return {
    sockaddr: define(['...string'], 'string', (a) => {
      const [, name = '', device = ''] =
        /^\s*(\w+)(?:\s+"?([\w.:-]+)"?)?\s*$/.exec(a.texts(0).join(' ')) ?? [];
      const query = queries[name];
      if (query === undefined)
        throw new FunctionError(
          `sockaddr: ${a.texts(0).join(' ')} is not known; known: ${Object.keys(queries).join(', ')}`,
        );
      return query(addresses(), device)
        .map(({ address }) => address)
        .join(' ');
    }),
  };
}

function ownAddresses(): Address[] {
  return Object.entries(networkInterfaces()).flatMap(([device, all = []]) =>
    all.map(({ address, family }) => ({ device, address, family })),
  );
}
