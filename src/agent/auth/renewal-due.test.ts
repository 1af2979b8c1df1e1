import { describe, expect, test } from 'vitest';
import { renewalDue } from './renewal-due.ts';

const hour = 3_600_000;
const now = 1_000_000 * hour;

describe('the next renewal or reading', () => {
  test.each([
    ['follows the token where it ends first', { token: 1, certificate: 24 }, 0, 0.7],
    ['follows the certificate where that ends first', { token: 768, certificate: 24 }, 0, 16.8],
    ['is spread by up to a thirtieth of the life', { token: 768, certificate: 24 }, 1, 17.6],
    ['follows the certificate of a token without end', { token: undefined, certificate: 3 }, 0, 2.1],
    ['follows the token where no certificate is known', { token: 3, certificate: undefined }, 0, 2.1],
    ['leaves a certificate out that has ended', { token: 3, certificate: -1 }, 0, 2.1],
    ['leaves a token out that has ended', { token: -1, certificate: 3 }, 0, 2.1],
  ])('%s', (_, { token, certificate }, random, expected) => {
    const at = (hours: number | undefined): number | undefined =>
      hours === undefined ? undefined : now + hours * hour;
    const wait = renewalDue({ token: at(token), certificate: at(certificate) }, now, random);
    expect((wait ?? 0) / hour).toBeCloseTo(expected);
  });

  test('is nobody’s business when nothing ends, and never a circle', () => {
    expect(renewalDue({ token: undefined, certificate: undefined }, now, 0)).toBeUndefined();
    expect(renewalDue({ token: now + 50, certificate: now + hour }, now, 0)).toBe(100);
  });

  test('comes before either end, whatever they are', () => {
    for (let i = 2; i < 2000; i++) {
      const [token, certificate] = [now + i * i * 1000, now + (2001 - i) * 60_000];
      const wait = renewalDue({ token, certificate }, now, (i % 11) / 10) ?? 0;
      expect(now + wait).toBeLessThan(Math.min(token, certificate));
    }
  });
});
