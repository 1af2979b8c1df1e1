import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { days, hours, minutes } from '../lib/duration.ts';
import { clampNotAfter, judgeNesting, judgeWanted, outlives, requireWithin } from './validity-rule.ts';

test('a clamped end never outlives the issuer and is never later than wanted', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (wanted, end) => {
      const notAfter = clampNotAfter(wanted, { notAfter: end });
      expect(outlives({ notAfter }, { notAfter: end })).toBe(false);
      expect(notAfter).toBeLessThanOrEqual(wanted);
    }),
  );
});

test('without a clamp the excess is refused with both days', () => {
  expect(requireWithin(5, { notAfter: 5 }, 'it')).toBe(5);
  expect(() => requireWithin(days(20), { notAfter: days(10) }, 'the intermediate')).toThrow(
    expect.objectContaining({
      code: 'outlives-issuer',
      message: 'the intermediate would end 1970-01-21, after its issuer (1970-01-11)',
    }),
  );
});

test('each link of a found chain is judged', () => {
  const chain = [
    { name: 'leaf', notAfter: days(9) },
    { name: 'intermediate', notAfter: days(3) },
    { name: 'root', notAfter: days(30) },
  ];
  expect(judgeNesting(chain)).toMatchObject([
    {
      code: 'leaf-outlives-issuer',
      message: 'leaf to 1970-01-10, its issuer intermediate to 1970-01-04 (6d earlier)',
    },
  ]);
  expect(judgeNesting(chain.slice(1))).toEqual([]);
  const makefile = [
    { name: 'intermediate', notAfter: days(30) + 2000 },
    { name: 'root', notAfter: days(30) },
  ];
  expect(judgeNesting(makefile)).toMatchObject([{ code: 'leaf-outlives-issuer', severity: 'warning' }]);
});

describe('wanted lifetimes', () => {
  const root = { name: 'root', ttl: days(3650), renewAfter: days(1825) };
  const intermediate = { name: 'intermediate', ttl: days(90), renewAfter: days(60) };
  const leaf = { name: 'leaf', ttl: hours(24), renewAfter: hours(12) };

  test('that nest are accepted', () => {
    const lease = { name: 'vault token', ttl: hours(1), renewAfter: minutes(40) };
    expect(judgeWanted([root, intermediate, leaf], [lease])).toEqual([]);
  });

  test('that do not nest, would be cut short, or end before their renewal are named', () => {
    expect(judgeWanted([root, { ...intermediate, ttl: days(4000) }])).toMatchObject([
      { code: 'ttl-outlives-issuer', message: 'intermediate is to live 4000d, longer than root (3650d)' },
    ]);
    expect(judgeWanted([{ ...intermediate, renewAfter: days(89.5) }, leaf])).toMatchObject([
      { code: 'ttl-cut-short', hint: 'renew intermediate after 89d or sooner' },
    ]);
    expect(judgeWanted([], [{ name: 'vault token', ttl: minutes(5), renewAfter: minutes(5) }])).toMatchObject(
      [{ code: 'lease-too-short', message: 'vault token ends after 5m, but its holder comes back after 5m' }],
    );
  });
});
