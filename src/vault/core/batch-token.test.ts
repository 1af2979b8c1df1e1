import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchSeal } from './batch-token.ts';

const entry = {
  accessor: '',
  policies: ['default'],
  path: 'auth/token/create',
  meta: null,
  displayName: 'token',
  numUses: 0,
  parent: '',
  created: 1,
  ttl: 1000,
  explicitMaxTtl: 0,
  period: 0,
  renewable: false,
  boundCidrs: [],
  leaseId: '',
  type: 'batch',
  expires: 1001,
} as const;

describe('batch tokens', () => {
  const seal = new BatchSeal(randomBytes(32), randomBytes);

  test('are opened by the store that made them and by no other', () => {
    const token = seal.seal(entry);
    expect(token.startsWith('hvb.')).toBe(true);
    expect(seal.open(token)).toEqual(entry);
    expect(new BatchSeal(randomBytes(32), randomBytes).open(token)).toBeUndefined();
  });

  test('say nothing of what they hold, and no two are alike', () => {
    const token = seal.seal(entry);
    expect(Buffer.from(token.slice(4), 'base64url').toString('latin1')).not.toContain('default');
    expect(seal.seal(entry)).not.toBe(token);
  });

  test('with any byte changed, or made of anything, open to nothing', () => {
    const blob = Buffer.from(seal.seal(entry).slice(4), 'base64url');
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = Buffer.from(blob);
        bad[at] = (bad[at] ?? 0) ^ flip;
        expect(seal.open(`hvb.${bad.toString('base64url')}`)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(seal.open(`hvb.${text}`)).toBeUndefined();
      }),
    );
  });
});
