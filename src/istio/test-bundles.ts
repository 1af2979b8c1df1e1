import { systemClock } from '../lib/clock.ts';
import { contextTag, explicitTag } from '../x509/der/tags.ts';
import { sequence, tlv } from '../x509/der/writer.ts';
import { basicConstraints, extension, keyUsage } from '../x509/extensions.ts';
import { type Issuer, issue } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { extensionOids } from '../x509/oids.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { day, type TestBundle, type TestRoot, testBundle, testRoot } from './test-mesh.ts';

/** The four texts; one that is undefined is not there. */
export type TestFiles = { readonly [Name in keyof TestBundle]?: string | undefined };

/** A folder of plugged-in files as somebody might leave it. */
export interface BundleShape {
  readonly name: string;
  /** Why it is refused; undefined: it is loaded, and what it signs must verify. */
  readonly refused?: string;
  readonly files: (root: TestRoot) => Promise<TestFiles>;
}

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const issuerOf = ({ certificate, key }: TestRoot): Issuer => ({ certificate, privateKey: key.privateKey });

/** An intermediate with extensions of its own. */
async function intermediate(issuer: Issuer, name: string, extensions: readonly Buffer[], now?: number) {
  const key = await generateKeyPair('ec-p256');
  const certificate = await issue({
    issuer,
    publicKey: key.publicKey,
    subject: [{ type: 'CN', value: name }],
    extensions,
    ttl: 80 * day,
    now: now ?? systemClock.now(),
    beyondIssuer: 'refuse',
  });
  return { key, certificate };
}

/** The bundle of an intermediate made so. */
async function bundleWith(root: TestRoot, ...extensions: readonly Buffer[]): Promise<TestBundle> {
  const { key, certificate } = await intermediate(issuerOf(root), 'odd', extensions);
  return {
    'ca-key.pem': privateKeyPem(key.privateKey).reveal(),
    'ca-cert.pem': certificate.pem,
    'cert-chain.pem': certificate.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
  };
}

const ca = (pathLength?: number) => [keyUsage('keyCertSign', 'cRLSign'), basicConstraints(true, pathLength)];

/** root > first > second; the second signs. */
async function twoIntermediates(root: TestRoot, pathLength = 1): Promise<TestBundle> {
  const first = await intermediate(issuerOf(root), 'first', ca(pathLength));
  const issuer = { certificate: first.certificate, privateKey: first.key.privateKey };
  const { publicKey, privateKey } = await generateKeyPair('ec-p256');
  const now = systemClock.now();
  const second = await issueIntermediate({ ttl: 70 * day, now, issuer, publicKey, name: 'second' });
  return {
    'ca-key.pem': privateKeyPem(privateKey).reveal(),
    'ca-cert.pem': second.pem,
    'cert-chain.pem': second.pem + first.certificate.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
  };
}

/** Name constraints that permit (0) or exclude (1) SPIFFE IDs of one trust domain (RFC 5280, 4.2.1.10). */
function spiffeIds(which: 0 | 1, host: string): Buffer {
  const subtree = sequence(tlv(contextTag(6), Buffer.from(host, 'latin1')));
  return extension(extensionOids.nameConstraints, true, sequence(tlv(explicitTag(which), subtree)));
}

/** A good set of `root`, changed. */
const changed =
  (change: (files: TestBundle, root: TestRoot) => TestFiles | Promise<TestFiles>) =>
  async (root: TestRoot): Promise<TestFiles> => {
    const files = await testBundle(root, { ttl: 60 * day });
    return { ...files, ...(await change(files, root)) };
  };

/** Every shape of a bundle that a mesh has met, and what becomes of it. All are of one root, multi-root is on. */
export const bundleShapes: readonly BundleShape[] = [
  {
    name: 'lines that end as on Windows',
    files: changed((files) => ({
      'ca-key.pem': crlf(files['ca-key.pem']),
      'ca-cert.pem': crlf(files['ca-cert.pem']),
      'cert-chain.pem': crlf(files['cert-chain.pem']),
      'root-cert.pem': crlf(files['root-cert.pem']),
    })),
  },
  {
    name: 'a certificate twice in its chain',
    files: changed((files) => ({ 'cert-chain.pem': files['ca-cert.pem'] + files['cert-chain.pem'] })),
  },
  {
    name: 'a root twice',
    files: changed((files) => ({ 'root-cert.pem': files['root-cert.pem'].repeat(2) })),
  },
  {
    name: 'three roots',
    files: changed(async (files) => {
      const others = [await testRoot('B'), await testRoot('C')].map(({ certificate }) => certificate.pem);
      return { 'root-cert.pem': files['root-cert.pem'] + others.join('') };
    }),
  },
  { name: 'two intermediates', files: (root) => twoIntermediates(root) },
  {
    name: 'a chain without the root',
    files: changed((files) => ({ 'cert-chain.pem': files['ca-cert.pem'] })),
  },
  {
    name: 'a root that signs itself, with an empty chain',
    files: async (root) => ({
      'ca-key.pem': privateKeyPem(root.key.privateKey).reveal(),
      'ca-cert.pem': root.certificate.pem,
      'cert-chain.pem': '',
      'root-cert.pem': root.certificate.pem,
    }),
  },
  {
    name: 'a CA that may name this trust domain only',
    files: (root) => bundleWith(root, ...ca(0), spiffeIds(0, 'cluster.local')),
  },
  {
    name: 'a CA that may name another trust domain only',
    refused: 'name-not-permitted',
    files: (root) => bundleWith(root, ...ca(0), spiffeIds(0, 'other.mesh')),
  },
  {
    name: 'a CA that may not name this trust domain',
    refused: 'name-not-permitted',
    files: (root) => bundleWith(root, ...ca(0), spiffeIds(1, 'cluster.local')),
  },
  {
    name: 'half of a set: no key',
    refused: 'incomplete-bundle',
    files: changed(() => ({ 'ca-key.pem': undefined })),
  },
  {
    name: 'two sets mixed: the key of the other',
    refused: 'key-does-not-match',
    files: changed(async (_, root) => ({ 'ca-key.pem': (await testBundle(root))['ca-key.pem'] })),
  },
  {
    name: 'two sets mixed: the chain of the other',
    refused: 'chain-lacks-ca',
    files: changed(async (_, root) => ({ 'cert-chain.pem': (await testBundle(root))['cert-chain.pem'] })),
  },
  {
    name: 'a chain without its own certificate',
    refused: 'chain-lacks-ca',
    files: changed((files) => ({ 'cert-chain.pem': files['root-cert.pem'] })),
  },
  {
    name: 'a chain in the wrong order',
    refused: 'chain-out-of-order',
    files: changed((files) => ({ 'cert-chain.pem': files['root-cert.pem'] + files['ca-cert.pem'] })),
  },
  {
    name: 'a certificate that ends in the middle',
    refused: 'bad-certificate',
    files: changed((files) => ({ 'ca-cert.pem': files['ca-cert.pem'].slice(0, 300) })),
  },
  {
    name: 'a key that ends in the middle',
    refused: 'bad-private-key',
    files: changed((files) => ({ 'ca-key.pem': files['ca-key.pem'].slice(0, 100) })),
  },
  {
    name: 'EC PARAMETERS before the key',
    refused: 'key-not-first',
    files: changed((files) => ({ 'ca-key.pem': parameters + files['ca-key.pem'] })),
  },
  {
    name: 'an intermediate that has ended',
    refused: 'expired',
    files: (root) => testBundle(root, { now: systemClock.now() - 20 * day, ttl: 10 * day }),
  },
  {
    name: 'two intermediates, the upper one left out',
    refused: 'chain-incomplete',
    files: async (root) => {
      const files = await twoIntermediates(root);
      return { ...files, 'cert-chain.pem': files['ca-cert.pem'] + root.certificate.pem };
    },
  },
  {
    name: 'two intermediates where the upper one allows none below it',
    refused: 'path-too-long',
    files: (root) => twoIntermediates(root, 0),
  },
  {
    name: 'the certificate of a workload in the place of the CA',
    refused: 'not-a-ca',
    files: (root) => bundleWith(root, keyUsage('digitalSignature'), basicConstraints(false)),
  },
  {
    name: 'the root of another mesh',
    refused: 'chain-incomplete',
    files: changed(async () => ({ 'root-cert.pem': (await testRoot('Other')).certificate.pem })),
  },
];
