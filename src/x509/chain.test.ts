import { beforeAll, describe, expect, test } from 'vitest';
import { days, hours } from '../lib/duration.ts';
import type { Certificate } from './certificate.ts';
import { type ChainOptions, judgeChain } from './chain.ts';
import { basicConstraints, keyUsage } from './extensions.ts';
import { encodeAndSign, issue } from './issuer.ts';
import { generateKeyPair } from './keys.ts';
import { algorithmForKey } from './signature.ts';
import { issueClient } from './templates/client.ts';
import { issueWorkload } from './templates/workload.ts';
import { type TestMesh, testIntermediate, testMesh, testNow, testRoot } from './test-ca.ts';

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await testMesh();
});

const judge = (changes: Partial<ChainOptions> = {}): string[] => judgeFull(changes).map(({ code }) => code);
const judgeFull = (changes: Partial<ChainOptions> = {}) =>
  judgeChain({
    leaf: mesh.leaf.certificate,
    intermediates: [mesh.intermediate.certificate],
    roots: [mesh.root.certificate],
    now: testNow,
    ...changes,
  });

/** A CA certificate with any extensions, which no template would write. */
async function oddCa(extensions: Buffer[]): Promise<{ ca: Certificate; leaf: Certificate }> {
  const key = await generateKeyPair('ec-p256');
  const subject = [{ type: 'CN', value: 'odd' }];
  const { root, leaf } = mesh;
  const base = { subject, publicKey: key.publicKey, extensions, now: testNow };
  const ca = await issue({ ...base, issuer: root, ttl: days(1), beyondIssuer: 'refuse' });
  const signed = await encodeAndSign({
    ...base,
    subject: [],
    publicKey: leaf.key.publicKey,
    extensions: [basicConstraints(false)],
    issuerName: ca.subjectDer,
    algorithm: algorithmForKey(key.privateKey),
    signingKey: key.privateKey,
    notAfter: testNow + hours(1),
  });
  return { ca, leaf: signed };
}

describe('a chain is accepted', () => {
  test('of leaf, intermediate and root, as server and as client', () => {
    expect(judge()).toEqual([]);
    expect(judge({ purpose: 'server' })).toEqual([]);
    expect(judge({ purpose: 'client' })).toEqual([]);
  });

  test('with the root at its end, as cert-chain.pem has it', () => {
    expect(judge({ intermediates: [mesh.intermediate.certificate, mesh.root.certificate] })).toEqual([]);
  });

  test('while another root is trusted too', async () => {
    expect(judge({ roots: [(await testRoot()).certificate, mesh.root.certificate] })).toEqual([]);
  });

  test('of a CA alone', () => {
    expect(judge({ leaf: mesh.intermediate.certificate, intermediates: [], purpose: 'ca' })).toEqual([]);
  });
});

describe('a chain is refused', () => {
  test('after and before its time, with the day', () => {
    expect(judgeFull({ now: testNow + hours(25) })).toMatchObject([
      { code: 'expired', message: 'spiffe://cluster.local/ns/demo/sa/web ended 2026-01-02' },
    ]);
    expect(judge({ now: testNow - hours(1) })).toEqual(['not-yet-valid', 'not-yet-valid', 'not-yet-valid']);
  });

  test('without its intermediate', () => {
    expect(judgeFull({ intermediates: [] })).toMatchObject([
      {
        code: 'chain-incomplete',
        message: 'no certificate of the chain or the roots issued spiffe://cluster.local/ns/demo/sa/web',
      },
    ]);
  });

  test('when the intermediate is a namesake with another key', async () => {
    const other = await testIntermediate(mesh.root);
    expect(judge({ intermediates: [other.certificate] })).toEqual(['bad-signature']);
  });

  test('in the wrong order', async () => {
    const { certificate: stranger } = await testIntermediate(mesh.root, { name: 'cluster9' });
    expect(judge({ intermediates: [stranger, mesh.intermediate.certificate] })).toEqual([
      'chain-out-of-order',
    ]);
  });

  test('under a root that is not trusted', async () => {
    expect(judge({ roots: [(await testRoot()).certificate] })).toEqual(['bad-signature']);
    expect(judge({ roots: [] })).toEqual(['chain-incomplete']);
  });

  test('when a signer is no CA, or lacks keyCertSign', async () => {
    const noCa = await oddCa([basicConstraints(false)]);
    expect(judge({ leaf: noCa.leaf, intermediates: [noCa.ca] })).toEqual(['not-a-ca']);
    const noSign = await oddCa([basicConstraints(true), keyUsage('digitalSignature')]);
    expect(judge({ leaf: noSign.leaf, intermediates: [noSign.ca] })).toEqual(['missing-key-cert-sign']);
  });

  test('with a CA below one that allows none', async () => {
    const below = await testIntermediate(mesh.intermediate, { name: 'below', ttl: days(1) });
    const leaf = await issueWorkload({
      issuer: below,
      publicKey: mesh.leaf.key.publicKey,
      spiffeId: 'spiffe://a/b',
      ttl: hours(1),
      now: testNow,
    });
    const intermediates = [below.certificate, mesh.intermediate.certificate];
    expect(judgeFull({ leaf, intermediates })).toMatchObject([
      {
        code: 'path-too-long',
        message: expect.stringContaining('allows 0 CAs below itself, the chain has 1'),
      },
    ]);
  });

  test('when it is to sign but stands below a CA that allows no other', async () => {
    const below = await testIntermediate(mesh.intermediate, { name: 'below', ttl: days(1) });
    const chain = { leaf: below.certificate, intermediates: [mesh.intermediate.certificate] };
    expect(judge({ ...chain, purpose: 'ca' })).toEqual(['path-too-long']);
    expect(judge(chain)).toEqual([]);
  });

  test('for a purpose that its leaf does not have', async () => {
    const { publicKey } = mesh.leaf.key;
    const leaf = await issueClient({
      issuer: mesh.intermediate,
      publicKey,
      commonName: 'admin',
      ttl: hours(1),
      now: testNow,
    });
    expect(judge({ leaf, purpose: 'client' })).toEqual([]);
    expect(judgeFull({ leaf, purpose: 'server' })).toMatchObject([
      { code: 'wrong-purpose', message: 'CN=admin is not for serverAuth, only for clientAuth' },
    ]);
  });
});
