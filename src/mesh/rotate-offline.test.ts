import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownStore } from '../../test/support/own-store.ts';
import { VaultClient } from '../client/vault-client.ts';
import { systemClock } from '../lib/clock.ts';
import { days } from '../lib/duration.ts';
import { Secret } from '../lib/secret.ts';
import { RotationJournal } from '../rotation/journal.ts';
import { readBundle } from '../rotation/kv-bundle.ts';
import { runRotation } from '../rotation/run.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { parseCsr } from '../x509/csr.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { type TestCa, testRoot } from '../x509/test-ca.ts';
import { parseMesh } from './load.ts';
import { storeNewIntermediate } from './new-intermediate.ts';
import type { Reach } from './resource.ts';
import type { Mesh } from './schema.ts';

describe('a rotation under a root without a network', () => {
  let store: Awaited<ReturnType<typeof ownStore>>;
  let vault: VaultClient;
  let folder: string;
  let root: TestCa;
  let mesh: Mesh;
  const path = 'kubernetes-eu-secrets/istiod-service/certs';
  const file = (name: string): string => join(folder, name);
  const reach = (): Reach => ({
    vault,
    clock: systemClock,
    kube: () => Promise.reject(new Error('not asked')),
  });
  const issue = () => storeNewIntermediate(mesh, mesh.clusters[0]!, reach());
  const bundle = () => readBundle(vault, path);
  const storedSerial = async () => {
    const found = await bundle();
    return found && parseCertificate(found.caCert).serial;
  };
  /** Vault as it is; an istiod that serves at once what Vault holds. */
  const rotate = () =>
    runRotation(
      'eu',
      {
        clock: systemClock,
        journal: new RotationJournal(vault, 'eu'),
        observe: async () => {
          const serial = await storedSerial();
          return { stored: serial, served: serial, issuing: serial };
        },
        issue,
        report: () => {},
      },
      { signal: new AbortController().signal, restart: false },
    );
  /** A request lies there, whatever came before. */
  const asked = () => rotate().catch(() => {});
  /** On the machine that has the root; the certificate is carried back. */
  async function sign(): Promise<Certificate> {
    const { publicKey } = parseCsr(readFileSync(file('eu.csr.pem'), 'utf8'));
    const now = Date.now();
    const signed = await issueIntermediate({ issuer: root, publicKey, name: 'eu', ttl: days(30), now });
    writeFileSync(file('eu.cert.pem'), signed.pem);
    return signed;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'offline-'));
    [store, root] = await Promise.all([ownStore(), testRoot('ec-p256', days(3650), Date.now())]);
    vault = new VaultClient({ address: store.address, token: new Secret('root') });
    writeFileSync(file('root-cert.pem'), root.certificate.pem);
    await vault.write('sys/mounts/kubernetes-eu-secrets', { type: 'kv' });
    const offline = `{ cert: "${file('root-cert.pem')}", folder: "${folder}" }`;
    const text = `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "${store.address}" }\nroot: { offline: ${offline} }\nclusters: [{ name: eu }]\n`;
    mesh = parseMesh(text, 'mesh.yaml');
    await expect(issue()).rejects.toMatchObject({ code: 'waiting-for-signature' });
    await sign();
    await issue();
  });
  afterAll(async () => {
    vault.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('waits for its own signature: the answer to the request before, still in the folder, is not taken in', async () => {
    const before = await bundle();
    await expect(rotate()).rejects.toMatchObject({
      code: 'waiting-for-signature',
      message: expect.stringContaining('eu.cert.pem answers another request'),
      hint: expect.stringMatching(
        /meshroot pki sign-offline eu\.csr\.pem .*meshroot rotate intermediate eu$/,
      ),
    });
    expect((await bundle())?.caCert).toBe(before?.caCert);
    await expect(rotate()).rejects.toMatchObject({ code: 'waiting-for-signature' });
  });

  test('refuses a signature of another root, and stores nothing', async () => {
    await asked();
    const before = await bundle();
    const ours = root;
    root = await testRoot('ec-p256', days(3650), Date.now());
    await sign();
    root = ours;
    await expect(rotate()).rejects.toMatchObject({ code: 'bad-signature' });
    expect((await bundle())?.caCert).toBe(before?.caCert);
  });

  test('takes the signed one in, sees it through to the end, and keeps neither request nor spare key', async () => {
    await asked();
    const old = await storedSerial();
    const signed = await sign();
    expect(await rotate()).toMatchObject({ phase: 'confirmed', oldSerial: old, newSerial: signed.serial });
    const now = await bundle();
    expect([now?.caCert, now?.rootCert]).toEqual([signed.pem, root.certificate.pem]);
    expect(await vault.list('kubernetes-eu-secrets/istiod-service')).toEqual(['certs', 'certs-public']);
    expect((await vault.read(`${path}-public`))?.data?.ca_cert).toBe(signed.pem);
  });

  test('the next one begins with a request of its own', async () => {
    await asked();
    await sign();
    await rotate();
    const before = readFileSync(file('eu.csr.pem'), 'utf8');
    await expect(rotate()).rejects.toMatchObject({ code: 'waiting-for-signature' });
    expect(readFileSync(file('eu.csr.pem'), 'utf8')).not.toBe(before);
  });
});
