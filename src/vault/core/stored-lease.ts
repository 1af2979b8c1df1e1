import type { Lease } from './lease.ts';
import { leaseIdOf } from './stored-token.ts';

/** A lease on disk, without its id, which is its place; of a token's own lease the id says the rest, too. */
export type StoredLease = Omit<Lease, 'id' | 'path' | 'tokenKey' | 'isToken' | 'renewable'> & Partial<Lease>;

export function toStoredLease({ id, ...lease }: Lease): StoredLease {
  if (!lease.isToken || id !== leaseIdOf(lease.path, lease.tokenKey)) return lease;
  const { path: _, tokenKey: __, isToken: ___, renewable, ...rest } = lease;
  return renewable ? rest : { ...rest, renewable };
}

export function fromStoredLease(id: string, stored: StoredLease): Lease {
  const slash = id.lastIndexOf('/');
  const ofToken = { path: id.slice(0, slash), tokenKey: id.slice(slash + 2), isToken: true, renewable: true };
  return { ...ofToken, ...stored, id };
}
