import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { createCrl } from '../x509/crl.ts';
import { bitString, sequence, time } from '../x509/der/writer.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { toPem } from '../x509/pem.ts';
import { algorithmForKey, signData } from '../x509/signature.ts';
import { createRoot } from '../x509/templates/root.ts';
import { CrlKeeper, readCrlFile } from './ca-crl.ts';
import { trustSet } from './ca-signer.ts';
import { day, tempFolder } from './test-mesh.ts';

/** A root that may sign lists, and a list of its own. */
async function authority(name: string) {
  const now = systemClock.now();
  const key = await generateKeyPair('ec-p256');
  const subject = [{ type: 'CN', value: name }] as const;
  const certificate = await createRoot({ key, subject, ttl: 10 * day, now, crlSign: true });
  const issuer: Issuer = { certificate, privateKey: key.privateKey };
  const times = { thisUpdate: now, nextUpdate: now + 5 * day };
  const { pem: crl } = await createCrl({ issuer, number: 1, ...times, revoked: [] });
  return { pem: certificate.pem, crl, issuer, key };
}

/** Version 1 (RFC 5280, 5.1.2.1: no version, no extensions), which OpenSSL writes unless it is told of extensions. */
async function versionOne({ certificate, privateKey }: Issuer): Promise<string> {
  const now = systemClock.now();
  const algorithm = algorithmForKey(privateKey);
  const tbs = sequence(algorithm.der, certificate.subjectDer, time(now), time(now + 5 * day));
  const signature = await signData(algorithm, privateKey, tbs);
  return toPem('X509 CRL', sequence(tbs, algorithm.der, bitString(signature)));
}

describe('revocation lists', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  beforeEach(async () => {
    folder = await tempFolder();
  });
  afterEach(() => folder.remove());
  const put = (text: string) => writeFile(join(folder.path, 'ca-crl.pem'), text);

  test('every certificate of the chain must have signed one; then the text is taken as it is', async () => {
    const [a, b] = [await authority('a'), await authority('b')];
    const trust = trustSet({ caCert: a.pem, certChain: a.pem, rootCert: a.pem + b.pem });
    expect(await readCrlFile(folder.path, trust)).toBeUndefined();
    await put(a.crl);
    await expect(readCrlFile(folder.path, trust)).rejects.toMatchObject({
      code: 'crl-missing',
      message: expect.stringMatching(/^missing CRL signed by certificates: \[.*CN=b.*\]$/),
    });
    await put(a.crl + b.crl);
    const keeper = await CrlKeeper.open(folder.path, () => trust, silentLogger);
    expect(keeper.text).toBe(a.crl + b.crl);
    await put(b.crl);
    expect(await keeper.reload()).toBe(false);
    expect(keeper.text).toBe(a.crl + b.crl);
    await rm(join(folder.path, 'ca-crl.pem'));
    expect(await keeper.reload()).toBe(true);
    expect(keeper.text).toBeUndefined();
  });

  test('a list of version 1 is refused, as istiod refuses it', async () => {
    const { pem, issuer } = await authority('a');
    await put(await versionOne(issuer));
    const trust = trustSet({ caCert: pem, certChain: '', rootCert: pem });
    await expect(readCrlFile(folder.path, trust)).rejects.toMatchObject({
      code: 'bad-crl',
      message: 'the list of CN=a is of version 1, which istiod does not read',
    });
  });

  test('a file of something else is refused', async () => {
    const { pem, key } = await authority('a');
    await put(privateKeyPem(key.privateKey).reveal().replaceAll('PRIVATE KEY', 'X509 CRL'));
    const trust = trustSet({ caCert: pem, certChain: '', rootCert: pem });
    await expect(readCrlFile(folder.path, trust)).rejects.toMatchObject({
      code: 'bad-crl',
      message: expect.stringMatching(/^not a CRL: /),
    });
  });
});
