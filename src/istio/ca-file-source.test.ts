import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { basicConstraints, keyUsage } from '../x509/extensions.ts';
import { issue } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { issueWorkload } from '../x509/templates/workload.ts';
import { fileSource } from './ca-file-source.ts';
import { day, type TestBundle, tempFolder, testBundle, testRoot, writeFiles } from './test-mesh.ts';

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

async function good(): Promise<TestBundle> {
  return testBundle(await testRoot());
}

/** root > first > second; the second signs. */
async function twoIntermediates(): Promise<TestBundle> {
  const root = await testRoot();
  const now = systemClock.now();
  const [firstKey, secondKey] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const first = await issue({
    issuer: { certificate: root.certificate, privateKey: root.key.privateKey },
    publicKey: firstKey.publicKey,
    subject: [{ type: 'CN', value: 'first' }],
    extensions: [keyUsage('keyCertSign', 'cRLSign'), basicConstraints(true, 1)],
    ttl: 100 * day,
    now,
    beyondIssuer: 'refuse',
  });
  const issuer = { certificate: first, privateKey: firstKey.privateKey };
  const second = await issueIntermediate({
    ttl: 90 * day,
    now,
    issuer,
    publicKey: secondKey.publicKey,
    name: 'second',
  });
  return {
    'ca-key.pem': privateKeyPem(secondKey.privateKey).reveal(),
    'ca-cert.pem': second.pem,
    'cert-chain.pem': second.pem + first.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
  };
}

describe('a folder of plugged-in files', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  beforeEach(async () => {
    folder = await tempFolder();
  });
  afterEach(() => folder.remove());
  const load = async (files: Partial<TestBundle>) => {
    await writeFiles(folder.path, files);
    return fileSource(folder.path, { trustDomain: 'cluster.local', clock: systemClock })();
  };

  test.each<[string, () => Promise<TestBundle>]>([
    [
      'lines that end as on Windows',
      async () => {
        const files = await good();
        return {
          ...files,
          'ca-cert.pem': crlf(files['ca-cert.pem']),
          'cert-chain.pem': crlf(files['cert-chain.pem']),
        };
      },
    ],
    [
      'a certificate twice in its chain',
      async () => {
        const files = await good();
        return { ...files, 'cert-chain.pem': files['ca-cert.pem'] + files['cert-chain.pem'] };
      },
    ],
    [
      'three roots',
      async () => {
        const files = await good();
        const [b, c] = [await testRoot('B'), await testRoot('C')];
        return { ...files, 'root-cert.pem': files['root-cert.pem'] + b.certificate.pem + c.certificate.pem };
      },
    ],
    ['two intermediates', twoIntermediates],
  ])('%s: loaded, and what it signs verifies with the served chain', async (_, files) => {
    const { set } = await load(await files());
    const key = await generateKeyPair('ec-p256');
    const issuer = { certificate: set.certificate, privateKey: set.privateKey };
    const uris = ['spiffe://cluster.local/ns/demo/sa/shop'];
    const now = systemClock.now();
    const leaf = await issueWorkload({ issuer, publicKey: key.publicKey, uris, ttl: day, now });
    const intermediates = set.chain.map(({ pem }) => parseCertificate(pem)); // as a client reads them
    expect(judgeChain({ leaf, intermediates, roots: set.roots, now, purpose: 'client' })).toEqual([]);
  });

  test.each<[string, string, () => Promise<Partial<TestBundle>>]>([
    [
      'half of a set',
      'incomplete-bundle',
      async () => {
        const { 'ca-key.pem': _, ...rest } = await good();
        return rest;
      },
    ],
    [
      'two sets mixed: the key of the other',
      'key-does-not-match',
      async () => {
        const root = await testRoot();
        return { ...(await testBundle(root)), 'ca-key.pem': (await testBundle(root))['ca-key.pem'] };
      },
    ],
    [
      'two sets mixed: the chain of the other',
      'chain-lacks-ca',
      async () => {
        const root = await testRoot();
        return { ...(await testBundle(root)), 'cert-chain.pem': (await testBundle(root))['cert-chain.pem'] };
      },
    ],
    [
      'a chain without its own certificate',
      'chain-lacks-ca',
      async () => {
        const files = await good();
        return { ...files, 'cert-chain.pem': files['root-cert.pem'] };
      },
    ],
    [
      'a file that ends in the middle',
      'bad-certificate',
      async () => {
        const files = await good();
        return { ...files, 'ca-cert.pem': files['ca-cert.pem'].slice(0, 300) };
      },
    ],
    [
      'EC PARAMETERS before the key',
      'key-not-first',
      async () => {
        const files = await good();
        return { ...files, 'ca-key.pem': parameters + files['ca-key.pem'] };
      },
    ],
    [
      'an intermediate that has ended',
      'expired',
      async () => {
        const then = systemClock.now() - 100 * day;
        return testBundle(await testRoot('Root CA', 3650 * day, then), { now: then, ttl: 10 * day });
      },
    ],
    [
      'two intermediates, the upper one left out',
      'chain-incomplete',
      async () => {
        const files = await twoIntermediates();
        return { ...files, 'cert-chain.pem': files['ca-cert.pem'] + files['root-cert.pem'] };
      },
    ],
  ])('%s: refused with %s', async (_, code, files) => {
    await expect(load(await files())).rejects.toMatchObject({ code });
  });
});
