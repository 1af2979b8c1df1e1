import type { TokenEntry } from './token-entry.ts';

/** What a token has unless it says otherwise. */
const usual = {
  meta: null,
  numUses: 0,
  parent: '',
  explicitMaxTtl: 0,
  period: 0,
  renewable: true,
  boundCidrs: [],
  noDefaultPolicy: false,
} as const satisfies Partial<TokenEntry>;

/** A token on disk: without what its place and the rest of it say, for there may be very many. */
export type StoredToken = Omit<TokenEntry, 'key' | 'leaseId' | keyof typeof usual> &
  Partial<TokenEntry> & { readonly endless?: true };

export function toStoredToken({ key: _, leaseId, ...entry }: TokenEntry): StoredToken {
  const spoken = Object.entries(entry).filter(([name, value]) => !isUsual(name, value));
  return {
    ...(Object.fromEntries(spoken) as unknown as StoredToken),
    ...(leaseId === '' ? { endless: true } : {}),
  };
}

export function fromStoredToken(key: string, { endless, ...stored }: StoredToken): TokenEntry {
  return { ...usual, ...stored, key, leaseId: endless === true ? '' : leaseIdOf(stored.path, key) };
}

/** @param path the call that made the token */
export const leaseIdOf = (path: string, key: string): string => `${path}/h${key}`;

const isUsual = (name: string, value: unknown): boolean =>
  Array.isArray(value)
    ? name === 'boundCidrs' && value.length === 0
    : usual[name as keyof typeof usual] === value;
