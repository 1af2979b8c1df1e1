import { isIP } from 'node:net';
import { ipBytes } from '../../../x509/alt-names.ts';

export interface Cidr {
  readonly bytes: Buffer;
  readonly bits: number;
}

/** `10.0.0.0/8`, `fd00::/8`; undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = Number(length);
  if (version === 0 || length === '' || address.includes('%') || bits > (version === 4 ? 32 : 128))
    return undefined;
  return { bytes: ipBytes(address), bits };
}

/** Whether an address lies in the network. */
export function cidrContains({ bytes, bits }: Cidr, address: string): boolean {
  const candidate = ipBytes(address);
  if (candidate.length !== bytes.length) return false;
  const whole = bits >> 3;
  if (!candidate.subarray(0, whole).equals(bytes.subarray(0, whole))) return false;
  const mask = (0xff << (8 - (bits & 7))) & 0xff;
  return mask === 0 || ((candidate[whole] ?? 0) & mask) === ((bytes[whole] ?? 0) & mask);
}
