import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair as generateJwk, SignJWT } from 'jose';
import { systemClock } from '../lib/clock.ts';
import type { Certificate } from '../x509/certificate.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair, type KeyPair, type KeyType, privateKeyPem } from '../x509/keys.ts';
import type { Name } from '../x509/name.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { createRoot } from '../x509/templates/root.ts';

export const day = 86_400_000;

/** A root made for one test. */
export interface TestRoot {
  readonly key: KeyPair;
  readonly certificate: Certificate;
}

/** The four texts by file name. */
export type TestBundle = Readonly<
  Record<'ca-key.pem' | 'ca-cert.pem' | 'cert-chain.pem' | 'root-cert.pem', string>
>;

export async function testRoot(
  name = 'Root CA',
  ttl = 3650 * day,
  now = systemClock.now(),
): Promise<TestRoot> {
  const key = await generateKeyPair('ec-p256');
  const subject: Name = [
    { type: 'O', value: 'Istio' },
    { type: 'CN', value: name },
  ];
  return { key, certificate: await createRoot({ key, subject, ttl, now }) };
}

/** An intermediate of `root` in Istio's layout. */
export async function testBundle(
  root: TestRoot,
  options: { name?: string; keyType?: KeyType; ttl?: number; now?: number; rootPem?: string } = {},
): Promise<TestBundle> {
  const { name = 'cluster1', keyType = 'ec-p256', ttl = 90 * day, now = systemClock.now() } = options;
  const key = await generateKeyPair(keyType);
  const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
  const certificate = await issueIntermediate({ issuer, publicKey: key.publicKey, name, ttl, now });
  return {
    'ca-key.pem': privateKeyPem(key.privateKey).reveal(),
    'ca-cert.pem': certificate.pem,
    'cert-chain.pem': certificate.pem + root.certificate.pem,
    'root-cert.pem': options.rootPem ?? root.certificate.pem,
  };
}

export async function tempFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'meshroot-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Plain files, each replaced by a rename of its own. */
export async function writeFiles(folder: string, files: Partial<TestBundle>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, `.new-${name}`), text, { mode: 0o600 });
    await rename(join(folder, `.new-${name}`), join(folder, name));
  }
}

/** The kubelet's way: one rename of `..data`. */
export async function swapFiles(folder: string, files: TestBundle, version: string): Promise<void> {
  const set = `..v${version}`;
  await mkdir(join(folder, set));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, set, name), text, { mode: 0o600 });
  await symlink(set, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of Object.keys(files)) {
    await symlink(join('..data', name), join(folder, name)).catch(() => {});
  }
}

export const testIssuer = 'https://kubernetes.default.svc';

/** An issuer of service-account tokens: its JWKS as text, and tokens. */
export async function tokenIssuer() {
  const { publicKey, privateKey } = await generateJwk('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
  const token = (
    options: {
      namespace?: string;
      account?: string;
      audience?: string;
      issuer?: string;
      expires?: string;
      subject?: string;
      pod?: { name: string; uid: string };
    } = {},
  ) => {
    const {
      namespace = 'demo',
      account = 'shop',
      audience = 'istio-ca',
      issuer = testIssuer,
      expires = '1h',
    } = options;
    return new SignJWT(options.pod === undefined ? {} : { 'kubernetes.io': { namespace, pod: options.pod } })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(options.subject ?? `system:serviceaccount:${namespace}:${account}`)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey);
  };
  return { jwks, token };
}

/** A key and a CSR as pilot-agent makes them. */
export async function testCsr(options: { keyType?: KeyType; uri?: string; subject?: Name } = {}) {
  const { keyType = 'ec-p256', uri = 'spiffe://cluster.local/ns/demo/sa/shop', subject } = options;
  const key = await generateKeyPair(keyType);
  const csr = await createCsr({
    key,
    sans: { uri: [uri] },
    sanCritical: true,
    ...(subject === undefined ? {} : { subject }),
  });
  return { key, keyPem: privateKeyPem(key.privateKey).reveal(), csr };
}
