/** A root token without parent and end. */
export const rootTokenOrder = {
  policies: ['root'],
  path: 'auth/token/root',
  meta: null,
  displayName: 'root',
  numUses: 0,
  parent: '',
  ttl: 0,
  explicitMaxTtl: 0,
  period: 0,
  renewable: false,
  boundCidrs: [],
} as const;
