import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../x509/certificate.ts';
import { Backoff } from './auth/backoff.ts';
import { renewalWait } from './auth/renewal.ts';
import type { Fetched } from './fetch.ts';
import { nextRead } from './schedule.ts';
import { secretValue } from './template/secret-value.ts';
import { testBundles } from './test-bundle.ts';

const config = {
  exitOnRetryFailure: true,
  staticSecretRenderIntervalMs: 300_000,
  leaseRenewalThreshold: 0.9,
};
const secret = (fields: object): Fetched => {
  const text = JSON.stringify({ data: {}, ...fields });
  return { kind: 'secret', text, secret: secretValue(text) };
};

describe('the next read', () => {
  test('of KV version 1 comes after the render interval, not after 29 days', () => {
    expect(nextRead(secret({ lease_duration: 2_764_800 }), config, 0.5, 0)).toBeCloseTo(270_000);
    expect(nextRead(secret({ lease_duration: 10 }), config, 0.5, 0)).toBeCloseTo(9_000);
  });

  test('of a secret without lease comes after the render interval', () => {
    expect(nextRead(secret({ lease_duration: 0 }), config, 0, 0)).toBeCloseTo(255_000);
  });

  test('of a lease that cannot be renewed comes shortly before its end', () => {
    expect(nextRead(secret({ lease_id: 'x', lease_duration: 100 }), config, 0.5, 0)).toBeCloseTo(90_000);
  });

  test('of a certificate without lease comes before its own end, not at the render interval', () => {
    const issued = secret({ data: { certificate: 'x', expiration: 10_000 } });
    expect(nextRead(issued, config, 0.5, 9_000_000)).toBeCloseTo(900_000);
    expect(nextRead(issued, config, 0.5, 11_000_000)).toBe(1000);
  });

  test('of a static role comes just after the store has changed its password', () => {
    const role = (ttl: number) => secret({ data: { username: 'u', rotation_period: 86_400, ttl } });
    expect(nextRead(role(42), config, 0.3, 0)).toBe(43_000);
    expect(nextRead(role(0), config, 0.3, 0)).toBe(1000);
  });

  test('of a secret id comes before its own end', () => {
    const made = (ttl: number) => secret({ data: { secret_id: 's', secret_id_ttl: ttl } });
    expect(nextRead(made(9), config, 0.5, 0)).toBeCloseTo(9_000);
    expect(nextRead(made(0), config, 0.5, 0)).toBeCloseTo(270_000);
  });

  test('of a token that the answer made follows the life of that token', () => {
    const token = (fields: object) => secret({ lease_duration: 0, auth: { client_token: 't', ...fields } });
    expect(nextRead(token({ lease_duration: 90, renewable: true }), config, 0, 0)).toBeCloseTo(63_000);
    expect(nextRead(token({ lease_duration: 100, renewable: false }), config, 0.5, 0)).toBeCloseTo(90_000);
    expect(nextRead(token({ lease_duration: 0, renewable: false }), config, 0.5, 0)).toBe(2_147_483_647);
  });

  test('of a bundle comes before its certificate ends, also where the interval is longer', async () => {
    const [hour, day] = [3_600_000, 86_400_000];
    const bundle = (await testBundles(0))();
    const { notAfter } = parseCertificate((await bundle).ca_cert);
    const slow = { ...config, staticSecretRenderIntervalMs: 400 * day };
    const left = 10 * hour;
    for (const data of [await bundle, { data: await bundle, metadata: { version: 1 } }])
      expect(nextRead(secret({ data, lease_duration: 2_764_800_00 }), slow, 0, notAfter - left)).toBeCloseTo(
        0.7 * left,
      );
    expect(nextRead(secret({ data: await bundle }), config, 0, notAfter - left)).toBeCloseTo(255_000);
    expect(nextRead(secret({ data: await bundle }), config, 0, notAfter + 1)).toBeCloseTo(255_000);
  });

  test('of a renewable lease comes at two thirds and a bit', () => {
    expect(
      nextRead(secret({ lease_id: 'x', lease_duration: 90, renewable: true }), config, 0, 0),
    ).toBeCloseTo(63_000);
  });
});

describe('a token', () => {
  test('is renewed at two thirds, replaced before its end, and left alone when it has none', () => {
    expect(renewalWait(3_600_000, true, 0)).toBeCloseTo(2_520_000);
    expect(renewalWait(3_600_000, false, 0)).toBeCloseTo(3_240_000);
    expect(renewalWait(0, false, 0)).toBe(2_147_483_647);
  });

  test('is asked for with growing, shortened, capped waits', () => {
    const backoff = new Backoff(1000, 5000, () => 1);
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([750, 1500, 3000, 3750, 3750]);
    backoff.reset();
    expect(backoff.next()).toBe(750);
  });
});
