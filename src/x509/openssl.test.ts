import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createCsr, parseCsr } from './csr.ts';
import { generateKeyPair, type KeyType, privateKeyPem } from './keys.ts';
import { testMesh, testNow } from './test-ca.ts';

const installed = spawnSync('openssl', ['version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'meshroot-openssl-'));
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!installed)('openssl (skipped where it is not installed)', () => {
  test.each(['rsa-2048', 'ec-p256', 'ec-p384', 'ed25519'] satisfies KeyType[])(
    'verifies root, intermediate and workload of %s keys',
    async (type) => {
      const { root, intermediate, leaf } = await testMesh(type);
      write('root.pem', root.certificate.pem);
      write('chain.pem', intermediate.certificate.pem + root.certificate.pem);
      write('leaf.pem', leaf.certificate.pem);
      const at = ['-attime', String(testNow / 1000), '-x509_strict', '-CAfile', 'root.pem'];
      expect(openssl('verify', ...at, 'root.pem')).toBe('root.pem: OK\n');
      for (const purpose of ['sslserver', 'sslclient']) {
        expect(openssl('verify', ...at, '-untrusted', 'chain.pem', '-purpose', purpose, 'leaf.pem')).toBe(
          'leaf.pem: OK\n',
        );
      }
    },
  );

  test('prints an intermediate with the words that it prints for the ones of tools/certs', async () => {
    write('ca.pem', (await testMesh('rsa-2048')).intermediate.certificate.pem);
    const text = openssl('x509', '-in', 'ca.pem', '-noout', '-text');
    expect(text).toContain('Subject: O = Istio, CN = Intermediate CA, L = cluster1');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(
      /Key Usage: critical\s+Digital Signature, Non Repudiation, Key Encipherment, Certificate Sign\n/,
    );
    expect(text).toMatch(/Subject Alternative Name: \s+DNS:istiod.istio-system.svc/);
  });

  test('accepts our requests and keys, and we read its own', async () => {
    const key = await generateKeyPair('ec-p256');
    write('csr.pem', await createCsr({ key, sans: { uri: ['spiffe://a/ns/b/sa/c'] }, sanCritical: true }));
    expect(openssl('req', '-in', 'csr.pem', '-noout', '-verify', '-text')).toContain(
      'URI:spiffe://a/ns/b/sa/c',
    );
    write('key.pem', privateKeyPem(key.privateKey, 'traditional').reveal());
    const theirs = openssl(
      'req',
      '-new',
      '-key',
      'key.pem',
      '-subj',
      '/O=x',
      '-addext',
      'subjectAltName=IP:::1,DNS:d',
    );
    expect(parseCsr(theirs)).toMatchObject({ signatureValid: true, sans: { ip: ['::1'], dns: ['d'] } });
  });
});
