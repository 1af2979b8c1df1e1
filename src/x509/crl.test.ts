import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { days, hours } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { createCrl, isCrlSignedBy, parseCrl } from './crl.ts';
import type { Issuer } from './issuer.ts';
import { generateKeyPair, type KeyType } from './keys.ts';
import { issueIntermediate } from './templates/intermediate.ts';
import { createRoot } from './templates/root.ts';
import { issueWorkload } from './templates/workload.ts';
import { testNow, testRoot } from './test-ca.ts';

const installed = spawnSync('openssl', ['version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'meshroot-crl-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function listingRoot(type: KeyType = 'ec-p256'): Promise<Issuer> {
  const key = await generateKeyPair(type);
  const certificate = await createRoot({ key, ttl: days(3650), now: testNow, crlSign: true });
  return { certificate, privateKey: key.privateKey };
}

const listOf = (issuer: Issuer, more: Partial<Parameters<typeof createCrl>[0]> = {}) =>
  createCrl({
    issuer,
    number: 7,
    thisUpdate: testNow,
    nextUpdate: testNow + hours(72),
    revoked: [{ serial: '0a1b', time: testNow }],
    ...more,
  });

describe('a revocation list', () => {
  test('says what it was made of, after DER and after PEM', async () => {
    const issuer = await listingRoot();
    const crl = await listOf(issuer);
    for (const read of [parseCrl(crl.der), parseCrl(crl.pem)]) {
      expect(read).toMatchObject({
        number: 7,
        deltaBase: undefined,
        thisUpdate: testNow,
        nextUpdate: testNow + hours(72),
        revoked: [{ serial: '0a1b', time: testNow }],
        authorityKeyId: issuer.certificate.subjectKeyId,
      });
    }
    expect(isCrlSignedBy(crl, issuer.certificate)).toBe(true);
    expect(isCrlSignedBy(crl, (await listingRoot()).certificate)).toBe(false);
  });

  test('may be empty, and a delta names the list that it adds to', async () => {
    const issuer = await listingRoot();
    expect(parseCrl((await listOf(issuer, { revoked: [] })).der).revoked).toEqual([]);
    expect(parseCrl((await listOf(issuer, { deltaBase: 3 })).der).deltaBase).toBe(3);
  });

  test('is not signed by a CA without cRLSign, which istiod would refuse', async () => {
    await expect(listOf(await testRoot())).rejects.toMatchObject({
      code: 'issuer-unusable',
      message: 'CN=Root CA,O=Istio cannot sign a CRL: its key usage lacks cRLSign',
    });
  });

  test('arbitrary and damaged bytes only ever give a MeshrootError', async () => {
    const { der } = await listOf(await listingRoot());
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
        const damaged = Buffer.from(der);
        damaged[at] = value;
        try {
          parseCrl(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(MeshrootError);
          expect(error).toMatchObject({ code: 'bad-crl' });
        }
      }),
    );
  });
});

describe.skipIf(!installed)('openssl (skipped where it is not installed)', () => {
  test.each(['rsa-2048', 'ec-p256', 'ec-p384', 'ed25519'] satisfies KeyType[])(
    'checks a chain of %s keys against the lists of both CAs, and finds the revoked leaf',
    async (type) => {
      const root = await listingRoot(type);
      const key = await generateKeyPair(type);
      const intermediate: Issuer = {
        privateKey: key.privateKey,
        certificate: await issueIntermediate({
          issuer: root,
          publicKey: key.publicKey,
          name: 'cluster1',
          ttl: days(90),
          now: testNow,
          crlSign: true,
        }),
      };
      const leaf = await issueWorkload({
        issuer: intermediate,
        publicKey: (await generateKeyPair('ec-p256')).publicKey,
        spiffeId: 'spiffe://cluster.local/ns/demo/sa/web',
        ttl: hours(24),
        now: testNow,
      });
      const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
      write('root.pem', root.certificate.pem);
      write('inter.pem', intermediate.certificate.pem);
      write('leaf.pem', leaf.pem);
      const check = async (revoked: readonly string[]): Promise<string> => {
        const empty = await listOf(root, { revoked: [] });
        const list = await listOf(intermediate, {
          revoked: revoked.map((serial) => ({ serial, time: testNow })),
        });
        write('crls.pem', empty.pem + list.pem);
        const args = ['verify', '-attime', String(testNow / 1000 + 60), '-crl_check_all', '-x509_strict'];
        const { stdout, stderr } = spawnSync(
          'openssl',
          [...args, '-CAfile', 'root.pem', '-untrusted', 'inter.pem', '-CRLfile', 'crls.pem', 'leaf.pem'],
          { cwd: folder, encoding: 'utf8' },
        );
        return stdout + stderr;
      };
      expect(await check([])).toBe('leaf.pem: OK\n');
      expect(await check([leaf.serial])).toContain('certificate revoked');
    },
  );

  test('prints a delta as one', async () => {
    const crl = await listOf(await listingRoot(), { deltaBase: 3 });
    writeFileSync(join(folder, 'delta.der'), crl.der);
    const text = execFileSync('openssl', ['crl', '-inform', 'DER', '-in', 'delta.der', '-noout', '-text'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(text).toMatch(/X509v3 Delta CRL Indicator: critical\s+3/);
    expect(text).toMatch(/X509v3 CRL Number: \s+7/);
  });
});
