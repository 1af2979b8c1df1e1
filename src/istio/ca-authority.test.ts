import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { type AuthorityOptions, createCertificate } from './ca-authority.ts';
import { JoinOnce } from './ca-join.ts';
import { memoryTokens } from './ca-join-memory.ts';
import { CaRefusal } from './ca-refusal.ts';
import { FileSigner, signingSet } from './ca-signer.ts';
import type { TokenVerdict } from './ca-token-review.ts';
import { day, testBundle, testCsr, testRoot } from './test-mesh.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const account = (username: string, groups = ['system:serviceaccounts']): TokenVerdict => ({
  authenticated: true,
  username,
  groups,
});

describe('who gets which certificate', () => {
  let signer: FileSigner;
  let csr: string;
  beforeAll(async () => {
    const root = await testRoot('Root', 3650 * day, start);
    const files = await testBundle(root, { now: start, ttl: 10 * day });
    signer = new FileSigner(
      signingSet({
        caKey: new Secret(files['ca-key.pem']),
        caCert: files['ca-cert.pem'],
        certChain: files['cert-chain.pem'],
        rootCert: files['root-cert.pem'],
      }),
    );
    ({ csr } = await testCsr());
  });

  function options(verdict: TokenVerdict, now = start): AuthorityOptions {
    return {
      signer,
      trustDomain: 'cluster.local',
      clusterId: 'c1',
      audiences: ['istio-ca'],
      review: async () => verdict,
      clock: { now: () => now, sleep: async () => {} },
      defaultTtl: day,
      maxTtl: 90 * day,
      csrPolicy: { mode: 'compat', minRsaBits: 2048 },
    };
  }
  const ask = (
    verdict: TokenVerdict,
    more: { now?: number; csr?: string; ttl?: number; certificate?: Buffer } = {},
  ) =>
    createCertificate(
      { csr: more.csr ?? csr, ttl: more.ttl ?? 0, metadata: {} },
      {
        authorization: more.certificate === undefined ? 'Bearer x' : undefined,
        certificate: more.certificate,
      },
      options(verdict, more.now),
    );
  const shop = account('system:serviceaccount:demo:shop');

  test('with join-once a token without a pod gives one certificate, the token of a pod as many as it likes', async () => {
    const clock = { now: () => start, sleep: () => new Promise<void>(() => {}) };
    const joinOnce = new JoinOnce(memoryTokens(clock), clock);
    const request = { csr, ttl: 0, metadata: {} };
    const pod = { ...shop, pod: { name: 'shop-1', uid: 'u1' } };
    const call = (verdict: TokenVerdict, wanted = request) =>
      createCertificate(wanted, { authorization: 'Bearer x' }, { ...options(verdict), joinOnce });
    await call(pod);
    await call(pod);
    await expect(call(shop, { ...request, csr: 'rubbish' })).rejects.toMatchObject({ code: 'bad-csr' });
    await call(shop); // what was refused has cost no token
    await expect(call(shop)).rejects.toMatchObject({ code: 'token-used', grpcCode: 7 });
    await call(pod);
  });

  test('the identity is that of the token, whatever the request says', async () => {
    const { issued, caller } = await ask(account('system:serviceaccount:a:b'));
    expect(caller).toMatchObject({ uris: ['spiffe://cluster.local/ns/a/sa/b'], via: 'token' });
    expect(issued.leaf.sans.uri).toEqual(['spiffe://cluster.local/ns/a/sa/b']);
  });

  test.each([
    ['a person', account('jane'), '"jane" is not a service account'],
    ['a node', account('system:node:n1'), '"system:node:n1" is not a service account'],
    [
      'a user that only looks like one',
      account('system:serviceaccount:a:b', []),
      'the token is not a service account token',
    ],
    [
      'a name with a slash',
      account('system:serviceaccount:a/b:c'),
      'spiffe://cluster.local/ns/a/b/sa/c is not a SPIFFE ID',
    ],
  ])('%s gets none', async (_who, verdict, reason) => {
    await expect(ask(verdict)).rejects.toMatchObject({
      grpcCode: 16,
      message: 'request authenticate failure',
      reason,
    });
  });

  test('a leaf never outlives its signer', async () => {
    const { issued } = await ask(shop, { now: start + 9.5 * day, ttl: day });
    expect(issued.leaf.notAfter).toBe(signer.trust().certificate.notAfter);
  });

  test('a signer past its end signs nothing: code 13', async () => {
    await expect(ask(shop, { now: start + 11 * day })).rejects.toMatchObject({
      code: 'signing-failed',
      grpcCode: 13,
      message: 'CSR signing error (the signing certificate has expired: 2026-01-11T00:00:00.000Z)',
    });
  });

  test('a client certificate counts until its own end, not that of its connection', async () => {
    const { issued } = await ask(shop, { ttl: day });
    const again = await ask(shop, { certificate: issued.leaf.der, now: start + day / 2 });
    expect(again.caller.via).toBe('certificate');
    await expect(ask(shop, { certificate: issued.leaf.der, now: start + 2 * day })).rejects.toMatchObject({
      reason: 'the client certificate has expired; no bearer token exists in the request',
    });
  });

  test('a client certificate of another trust domain does not count', async () => {
    const { issued } = await createCertificate(
      { csr, ttl: 0, metadata: {} },
      { authorization: 'Bearer x' },
      { ...options(shop), trustDomain: 'other.mesh' },
    );
    await expect(ask(shop, { certificate: issued.leaf.der })).rejects.toMatchObject({
      reason: expect.stringContaining('the client certificate is of trust domain other.mesh'),
    });
  });

  test('a node that may ask for its pods gets no identity of another trust domain', async () => {
    const impersonating = (identity: string) =>
      createCertificate(
        { csr, ttl: 0, metadata: { ImpersonatedIdentity: identity } },
        { authorization: 'Bearer x' },
        { ...options(shop), mayImpersonate: async () => undefined },
      );
    const { uris } = await impersonating('spiffe://cluster.local/ns/a/sa/b');
    expect(uris).toEqual(['spiffe://cluster.local/ns/a/sa/b']);
    await expect(impersonating('spiffe://other.mesh/ns/a/sa/b')).rejects.toMatchObject({
      code: 'impersonation-refused',
      grpcCode: 16,
      message: 'request impersonation authentication failure',
      reason: 'spiffe://other.mesh/ns/a/sa/b is not of trust domain cluster.local',
    });
  });

  test('all that a call waits for shares five seconds', async () => {
    let now = start;
    const untils: (number | undefined)[] = [];
    const slow: AuthorityOptions = {
      ...options(shop),
      clock: { now: () => now, sleep: async () => {} },
      review: async () => {
        now += 3000;
        return shop;
      },
      mayImpersonate: async (_caller, _identity, until) => void untils.push(until),
      signer: {
        trust: () => signer.trust(),
        signServing: (order) => signer.signServing(order),
        signWorkload: (order) => {
          untils.push(order.until);
          return signer.signWorkload(order);
        },
      },
    };
    const metadata = { ImpersonatedIdentity: 'spiffe://cluster.local/ns/demo/sa/cart' };
    await createCertificate({ csr, ttl: 0, metadata }, { authorization: 'Bearer x' }, slow);
    expect(untils).toEqual([start + 5000, start + 5000]);
  });

  test('an identity longer than 64 characters leaves the subject empty', async () => {
    const named = await testCsr({ subject: [{ type: 'CN', value: 'x' }] });
    const long = await ask(account(`system:serviceaccount:demo:${'s'.repeat(40)}`), { csr: named.csr });
    expect(long.issued.leaf.subject).toEqual([]);
    const short = await ask(shop, { csr: named.csr });
    expect(short.issued.leaf.subject).toEqual([
      { type: 'CN', value: 'spiffe://cluster.local/ns/demo/sa/shop' },
    ]);
  });

  test('text of any kind gives a certificate or a refusal of code 3', async () => {
    const damaged = fc
      .tuple(fc.nat(csr.length - 1), fc.string({ minLength: 1, maxLength: 4 }))
      .map(([at, text]) => csr.slice(0, at) + text + csr.slice(at + text.length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.string({ maxLength: 500 })), async (text) => {
        try {
          const { chain } = await ask(shop, { csr: text });
          expect(parseCertificate(chain[0]!).sans.uri).toEqual(['spiffe://cluster.local/ns/demo/sa/shop']);
        } catch (error) {
          expect(error).toBeInstanceOf(CaRefusal);
          expect((error as CaRefusal).grpcCode).toBe(3);
        }
      }),
      { numRuns: 200 },
    );
  });
});
