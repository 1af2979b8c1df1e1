import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditMetrics } from './audit-metrics.ts';
import { parseAuditLine } from './audit-record.ts';
import { type Denial, DenialClassifier } from './denials.ts';

const at = (seconds: number) => new Date(Date.parse('2026-11-22T12:00:00Z') + seconds * 1000).toISOString();
const login = (seconds: number, over: object = {}) => ({
  time: at(seconds),
  type: 'response',
  request: {
    id: 'r1',
    operation: 'update',
    path: 'auth/kubernetes-cluster1/login',
    mount_point: 'auth/kubernetes-cluster1/',
  },
  response: {
    auth: {
      client_token: 'hmac-sha256:t1',
      display_name: 'kubernetes-cluster1-istio-system-istiod',
      metadata: { role: 'istiod' },
      token_ttl: 60,
    },
  },
  ...over,
});
const read = (seconds: number, over: object = {}) => ({
  time: at(seconds),
  type: 'response',
  error: '1 error occurred:\n\t* permission denied\n\n',
  auth: { token_type: 'default' },
  request: {
    id: 'r2',
    operation: 'read',
    path: 'kubernetes-cluster2-secrets/istiod-service/certs',
    client_token: 'hmac-sha256:t1',
  },
  ...over,
});

function denialsOf(...records: object[]): Denial[] {
  const classifier = new DenialClassifier();
  return records.flatMap((record) => {
    const parsed = parseAuditLine(JSON.stringify(record));
    const denial = parsed && classifier.classify(parsed);
    return denial === undefined ? [] : [denial];
  });
}

describe('why Vault said no', () => {
  test('a valid token without the right is a policy denial of its role', () => {
    const request = {
      ...read(5).request,
      mount_point: 'kubernetes-cluster2-secrets/',
      client_token_accessor: 'hmac-sha256:a1',
    };
    const auth = {
      display_name: 'kubernetes-cluster1-istio-system-istiod',
      metadata: { role: 'istiod' },
      policy_results: { allowed: false },
    };
    expect(denialsOf(login(0), read(5, { auth, request }))).toMatchObject([
      {
        reason: 'policy',
        role: 'istiod',
        mount: 'kubernetes-cluster2-secrets/',
        who: 'kubernetes-cluster1-istio-system-istiod',
      },
    ]);
  });

  test('a token that was handed out a minute ago for a minute has expired, and its role is known', () => {
    expect(denialsOf(login(0), read(61))).toMatchObject([
      { reason: 'token-expired', role: 'istiod', mount: 'kubernetes-cluster2-secrets/' },
    ]);
  });

  test('a token that nobody handed out is unknown, none at all is no token', () => {
    const without = { ...read(1).request, client_token: undefined };
    expect(denialsOf(read(1), read(1, { request: without })).map((d) => d.reason)).toEqual([
      'token-unknown',
      'no-token',
    ]);
  });

  test.each([
    ['service account name not authorized', 'wrong-service-account'],
    ['namespace not authorized', 'wrong-namespace'],
    ['invalid audience (aud) claim: audience claim does not match any expected audience', 'wrong-audience'],
    ['invalid expiration time (exp) claim: token is expired', 'login-token-expired'],
    ['1 error occurred:\n\t* permission denied\n\n', 'login-not-accepted'],
    ['could not load backend configuration', 'other'],
    ['', 'login-refused'],
  ])('a login refused with %j is %s', (error, reason) => {
    const request = { ...login(0).request, data: { role: 'istiod' } };
    expect(denialsOf(login(0, { error, response: {}, request }))).toMatchObject([{ reason, role: 'istiod' }]);
  });

  test('what was allowed, and request records, are no denials', () => {
    expect(denialsOf(login(0), read(1, { error: '' }), read(1, { type: 'request' }))).toEqual([]);
  });

  test('metrics show denials by mount, role and reason', async () => {
    const metrics = new AuditMetrics();
    const classifier = new DenialClassifier();
    for (const record of [login(0), read(61)]) {
      const parsed = parseAuditLine(JSON.stringify(record));
      if (parsed !== undefined) metrics.count(parsed, classifier.classify(parsed));
    }
    const text = await metrics.registry.metrics();
    expect(text).toContain(
      'meshroot_vault_denials_total{mount="kubernetes-cluster2-secrets/",role="istiod",reason="token-expired"} 1',
    );
    expect(text).toContain(
      'meshroot_vault_requests_total{mount="auth/kubernetes-cluster1/",operation="update",outcome="ok"} 1',
    );
  });

  test('no line whatever breaks the reader', () => {
    const classifier = new DenialClassifier();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({
              type: fc.constant('response'),
              auth: fc.jsonValue(),
              request: fc.jsonValue(),
              response: fc.jsonValue(),
              error: fc.jsonValue(),
            })
            .map((r) => JSON.stringify(r)),
        ),
        (line) => {
          const record = parseAuditLine(line);
          if (record !== undefined) classifier.classify(record);
        },
      ),
    );
  });
});
