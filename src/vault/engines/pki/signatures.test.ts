import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isSignedBy, parseCertificate } from '../../../x509/certificate.ts';
import { isCrlSignedBy, parseCrl } from '../../../x509/crl.ts';
import { call, openTestCore } from '../../test-core.ts';

const dataOf = (body: unknown): Record<string, string> => (body as { data: Record<string, string> }).data;

const installed = spawnSync('openssl', ['version']).status === 0;

test('use_pss signs root, leaf and list by RSASSA-PSS, and OpenSSL takes them', async () => {
  const core = await openTestCore();
  await call(core, 'update', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  const made = await call(core, 'update', 'pki/root/generate/internal', {
    common_name: 'R',
    ttl: '8760h',
    use_pss: true,
    signature_bits: 384,
  });
  const root = parseCertificate(dataOf(made.body).certificate ?? '');
  expect(isSignedBy(root, root)).toBe(true);
  const issuer = await call(core, 'read', 'pki/issuer/default');
  expect(dataOf(issuer.body).revocation_signature_algorithm).toBe('SHA384WithRSAPSS');
  await call(core, 'update', 'pki/roles/r', { allow_any_name: true, key_type: 'ec', use_pss: true });
  const issued = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '1h' });
  const leaf = parseCertificate(dataOf(issued.body).certificate ?? '');
  expect(isSignedBy(leaf, root)).toBe(true);
  const list = parseCrl(Buffer.from((await call(core, 'read', 'pki/crl', {}, '')).raw?.body ?? ''));
  expect(isCrlSignedBy(list, root)).toBe(true);
  if (installed) requireOpenSslAgrees({ root: root.pem, leaf: leaf.pem, list: list.pem });
  await core.close();
});

function requireOpenSslAgrees(files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(tmpdir(), 'pss-'));
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(folder, name), pem);
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: folder }).toString();
  expect(openssl('x509', '-in', 'leaf', '-noout', '-text')).toContain('Signature Algorithm: rsassaPss');
  const trust = ['-CAfile', 'root', '-CRLfile', 'list', '-crl_check'];
  expect(openssl('verify', ...trust, 'leaf')).toContain('leaf: OK');
  rmSync(folder, { recursive: true });
}
