import { days, hours } from '../lib/duration.ts';
import type { Certificate } from './certificate.ts';
import type { Issuer } from './issuer.ts';
import { generateKeyPair, type KeyPair, type KeyType } from './keys.ts';
import { issueIntermediate } from './templates/intermediate.ts';
import { createRoot } from './templates/root.ts';
import { issueWorkload } from './templates/workload.ts';

/** 2026-01-01, the frozen time of tests about certificates. */
export const testNow = Date.UTC(2026, 0, 1);

export interface TestCa extends Issuer {
  readonly key: KeyPair;
}

export interface TestMesh {
  readonly root: TestCa;
  readonly intermediate: TestCa;
  readonly leaf: { readonly certificate: Certificate; readonly key: KeyPair };
}

export async function testRoot(type: KeyType = 'ec-p256', ttl = days(3650), now = testNow): Promise<TestCa> {
  const key = await generateKeyPair(type);
  return { key, privateKey: key.privateKey, certificate: await createRoot({ key, ttl, now }) };
}

export async function testIntermediate(
  issuer: Issuer,
  options: { name?: string; type?: KeyType; ttl?: number; now?: number } = {},
): Promise<TestCa> {
  const { name = 'cluster1', type = 'ec-p256', ttl = days(90), now = testNow } = options;
  const key = await generateKeyPair(type);
  const certificate = await issueIntermediate({ issuer, publicKey: key.publicKey, name, ttl, now });
  return { key, privateKey: key.privateKey, certificate };
}

export const testSpiffeId = 'spiffe://cluster.local/ns/demo/sa/web';

/** A root, one intermediate and one workload certificate of 24 hours. */
export async function testMesh(type: KeyType = 'ec-p256', now = testNow): Promise<TestMesh> {
  const root = await testRoot(type, days(3650), now);
  const intermediate = await testIntermediate(root, { type, now });
  const key = await generateKeyPair('ec-p256');
  const certificate = await issueWorkload({
    issuer: intermediate,
    publicKey: key.publicKey,
    spiffeId: testSpiffeId,
    ttl: hours(24),
    now,
  });
  return { root, intermediate, leaf: { certificate, key } };
}
