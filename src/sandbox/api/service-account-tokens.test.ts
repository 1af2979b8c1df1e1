import { describe, expect, test } from 'vitest';
import { admin, dig, pod, type TestApi, testApi } from '../test-api.ts';

const account = '/api/v1/namespaces/demo/serviceaccounts/default';
const issuer = 'https://kubernetes.default.svc';

async function tokenFor(t: TestApi, spec: Record<string, unknown> = {}): Promise<string> {
  const answer = await t.api.request('POST', `${account}/token`, { body: { spec } });
  return String(dig(answer, 'status.token'));
}

const review = async (t: TestApi, token: string, audiences?: string[]): Promise<Record<string, unknown>> => {
  const body = { spec: { token, ...(audiences === undefined ? {} : { audiences }) } };
  const answer = await t.api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body });
  return answer.status as Record<string, unknown>;
};

const claimsOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

async function runningPod(t: TestApi): Promise<{ name: string; uid: string }> {
  const made = await t.api.create(pod('p'));
  return { name: 'p', uid: made.metadata.uid ?? '' };
}

describe('a service account token', () => {
  test('names its account and is accepted', async () => {
    const t = await testApi();
    const token = await tokenFor(t);
    expect(claimsOf(token)).toMatchObject({
      iss: issuer,
      aud: [issuer],
      sub: 'system:serviceaccount:demo:default',
      'kubernetes.io': { namespace: 'demo', serviceaccount: { name: 'default' } },
    });
    const status = await review(t, token);
    expect(status).toMatchObject({ authenticated: true, audiences: [issuer] });
    expect(status.user).toMatchObject({
      username: 'system:serviceaccount:demo:default',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:demo', 'system:authenticated'],
    });
    const reply = await t.send('GET', '/api', { headers: { authorization: `Bearer ${token}` } });
    expect(reply.status).toBe(200);
  });
  test('for one audience is not good for another', async () => {
    const t = await testApi();
    const token = await tokenFor(t, { audiences: ['istio-ca'] });
    expect(await review(t, token, ['istio-ca', 'x'])).toMatchObject({
      authenticated: true,
      audiences: ['istio-ca'],
    });
    expect(await review(t, token)).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["istio-ca"] is invalid for the target audiences ["${issuer}"]]`,
    });
    const reply = await t.send('GET', '/api', { headers: { authorization: `Bearer ${token}` } });
    expect(reply.status).toBe(401);
  });
  test('bound to a pod says so, and ends with it', async () => {
    const t = await testApi();
    const bound = await runningPod(t);
    const token = await tokenFor(t, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...bound } });
    const status = await review(t, token);
    expect(dig(status, 'user.extra')).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': [bound.uid],
    });
    await t.api.request('DELETE', '/api/v1/namespaces/demo/pods/p');
    expect((await review(t, token)).error).toContain('service account token has been invalidated');
  });
  test('is void when the account was made anew', async () => {
    const t = await testApi();
    const token = await tokenFor(t);
    await t.api.request('DELETE', account);
    await t.api.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'demo' },
    });
    expect((await review(t, token)).authenticated).toBeUndefined();
  });
  test('expires', async () => {
    const t = await testApi();
    const token = await tokenFor(t, { expirationSeconds: 600 });
    t.clock.advance(599_000);
    expect((await review(t, token)).authenticated).toBe(true);
    t.clock.advance(2000);
    expect((await review(t, token)).error).toContain('service account token has expired');
  });
  test('with a changed signature or payload is refused', async () => {
    const t = await testApi();
    const [head, , signature] = (await tokenFor(t)).split('.');
    const payload = Buffer.from(JSON.stringify({ iss: issuer, sub: 'system:admin' })).toString('base64url');
    for (const forged of [`${head}.${payload}.${signature}`, `${head}.${payload}.`, 'a.b.c', 'x']) {
      expect(await review(t, forged)).toEqual({ user: {}, error: 'invalid bearer token' });
    }
  });
  test('is not given for less than ten minutes, nor for a pod of another account', async () => {
    const t = await testApi();
    const ask = (spec: unknown) => t.send('POST', `${account}/token`, { user: admin, body: { spec } });
    const short = await ask({ expirationSeconds: 60 });
    expect([short.status, dig(short.body, 'message')]).toEqual([
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
    ]);
    await t.api.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'other', namespace: 'demo' },
    });
    await t.api.create(
      pod('p', { spec: { serviceAccountName: 'other', containers: [{ name: 'c', image: 'i' }] } }),
    );
    const foreign = await ask({ boundObjectRef: { kind: 'Pod', name: 'p' } });
    expect([foreign.status, dig(foreign.body, 'message')]).toEqual([
      400,
      'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
    ]);
    expect((await ask({ boundObjectRef: { kind: 'Pod', name: 'no' } })).status).toBe(404);
  });
  test('can be checked with the published keys', async () => {
    const t = await testApi();
    const { createLocalJWKSet, jwtVerify } = await import('jose');
    const jwks = (await t.tokens.jwks()) as unknown as import('jose').JSONWebKeySet;
    const { payload } = await jwtVerify(await tokenFor(t), createLocalJWKSet(jwks), {
      issuer,
      currentDate: new Date(t.clock.now()),
    });
    expect(payload.sub).toBe('system:serviceaccount:demo:default');
  });
});
