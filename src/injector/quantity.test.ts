import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalQuantity } from './quantity.ts';

describe('a Kubernetes quantity', () => {
  test.each([
    ['1024Mi', '1Gi'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['0.5Gi', '512Mi'],
    ['1000Ki', '1000Ki'],
    ['1023', '1023'],
    ['1e3', '1e3'],
    ['1500m', '1500m'],
    ['100000', '100k'],
    ['0', '0'],
    ['0Gi', '0'],
    ['0.0000000001', '1n'],
    ['12E', '12E'],
    ['12Ei', '9223372036854775807'],
    ['1e-400', '1e-9'],
    ['-1024Mi', '-1Gi'],
  ])('%s is written %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical));

  test.each(['', 'lots', '12Q', '1 Gi', '1..2', '.', 'Gi', '1e', '0x10'])('"%s" is refused', (text) => {
    expect(() => canonicalQuantity(text)).toThrow(
      expect.objectContaining({
        code: 'injection-refused',
        message:
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      }),
    );
  });

  test('writing it again changes nothing', () => {
    const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'n', 'u');
    fc.assert(
      fc.property(fc.nat(1_000_000), suffix, (n, s) => {
        const once = canonicalQuantity(`${n}${s}`);
        expect(canonicalQuantity(once)).toBe(once);
      }),
    );
  });
});
