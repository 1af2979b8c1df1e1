import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../x509/certificate.ts';
import { CaMetrics } from './ca-metrics.ts';
import { CaRefusal, type RefusalCode } from './ca-refusal.ts';
import { day, testBundle, testRoot } from './test-mesh.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

async function metrics() {
  const root = await testRoot('Root', 100 * day, now);
  const certificate = parseCertificate((await testBundle(root, { now, ttl: 10 * day }))['ca-cert.pem']);
  const trust = { certificate, chain: [], roots: [root.certificate], rootPem: root.certificate.pem };
  const made = new CaMetrics({
    trust: () => trust,
    clock: { now: () => now, sleep: async () => {} },
    depth: () => 3,
    serving: () => certificate,
    reserve: () => root.certificate,
    signsUntil: () => now + 5000,
  });
  return { made, page: () => made.registry.metrics() };
}

describe('what the CA counts', () => {
  test.each<[RefusalCode, readonly string[]]>([
    ['unauthenticated', ['citadel_server_authentication_failure_count 1']],
    ['impersonation-refused', ['citadel_server_authentication_failure_count 1']],
    ['reviewer-unavailable', ['citadel_server_authentication_failure_count 1']],
    ['signer-unavailable', ['citadel_server_authentication_failure_count 0']],
    ['overloaded', ['citadel_server_authentication_failure_count 0']],
    [
      'bad-csr',
      ['citadel_server_csr_parsing_err_count 1', 'citadel_server_csr_sign_err_count{error="CSR_ERROR"} 1'],
    ],
    ['ttl-too-long', ['citadel_server_csr_sign_err_count{error="TTL_ERROR"} 1']],
    ['signing-failed', ['citadel_server_csr_sign_err_count{error="CERT_GEN_ERROR"} 1']],
  ])('%s as istiod does', async (code, lines) => {
    const { made, page } = await metrics();
    made.refused(new CaRefusal(code, 'no'), 5);
    const text = await page();
    for (const line of [...lines, `meshroot_ca_refusals_total{code="${code}"} 1`])
      expect(text.split('\n')).toContain(line);
  });

  test('days left of each certificate, a chain without its signer, the queue, the outage budget', async () => {
    const { page } = await metrics();
    const lines = (await page()).split('\n');
    for (const [kind, days] of Object.entries({ signer: 10, serving: 10, root: 100, reserve: 100 }))
      expect(lines).toContainEqual(
        expect.stringMatching(new RegExp(`days_left\\{kind="${kind}",serial="[0-9a-f]+"\\} ${days}$`)),
      );
    expect(lines).toContain('meshroot_ca_chain_mismatch 1');
    expect(lines).toContain('meshroot_ca_queue_depth 3');
    expect(lines).toContain('meshroot_ca_outage_budget_seconds 5');
    expect(lines).toContain(`citadel_server_root_cert_expiry_seconds ${(100 * day) / 1000}`);
  });
});
