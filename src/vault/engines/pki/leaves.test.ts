import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate, parseCertificates } from '../../../x509/certificate.ts';
import { judgeChain } from '../../../x509/chain.ts';
import { createCsr } from '../../../x509/csr.ts';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../../x509/extensions.ts';
import { generateKeyPair } from '../../../x509/keys.ts';
import { nameText } from '../../../x509/name.ts';
import type { VaultCore } from '../../core/vault-core.ts';
import { call, openTestCore, TestClock } from '../../test-core.ts';
import { globMatches } from './glob.ts';
import { asciiName, forbiddenName } from './name-rules.ts';
import { defaultRole } from './role.ts';

type Data = Record<string, string> & { readonly ca_chain: string[] };
const dataOf = (body: unknown): Data => (body as { data: Data }).data;
const errorsOf = (body: unknown): string[] => (body as { errors: string[] }).errors;

async function openPki(clock = new TestClock()): Promise<VaultCore> {
  const core = await openTestCore({ clock });
  await call(core, 'update', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  await call(core, 'update', 'pki/root/generate/internal', {
    common_name: 'Root CA',
    key_type: 'ec',
    ttl: '87600h',
  });
  return core;
}

const role = (core: VaultCore, body: object): ReturnType<typeof call> =>
  call(core, 'update', 'pki/roles/r', { key_type: 'ec', ...body });

const spiffe = 'spiffe://cluster.local/ns/demo/sa/web';

describe('leaves', () => {
  test('a workload without a common name has its SPIFFE identity, critical, and chains to the root', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    await role(core, { require_cn: false, allowed_uri_sans: 'spiffe://cluster.local/*', no_store: true });
    const key = await generateKeyPair('ec-p256');
    const csr = await createCsr({ key, sans: { uri: [spiffe] }, sanCritical: true });
    const { body } = await call(core, 'update', 'pki/sign/r', { csr, ttl: '1h' });
    const leaf = parseCertificate(dataOf(body).certificate ?? '');
    expect(leaf.sans.uri).toEqual([spiffe]);
    expect(leaf.subject).toEqual([]);
    expect(leaf.notBefore).toBe(clock.time - 30_000);
    expect(leaf.notAfter).toBe(clock.time + 3_600_000);
    expect(leaf.extendedKeyUsage).toEqual(['serverAuth', 'clientAuth']);
    expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature', 'keyEncipherment', 'keyAgreement']);
    const roots = parseCertificates(dataOf(body).issuing_ca ?? '');
    expect(judgeChain({ leaf, intermediates: [], roots, now: clock.time, purpose: 'server' })).toEqual([]);
    expect((await call(core, 'read', `pki/cert/${dataOf(body).serial_number}`)).status).toBe(404);
    await core.close();
  });

  test('sign-verbatim takes names and usages as they are, but never makes a CA', async () => {
    const core = await openPki();
    const key = await generateKeyPair('ec-p256');
    const csr = await createCsr({
      key,
      subject: [{ type: 'O', value: 'any' }],
      sans: { dns: ['any.name'] },
      extensions: [basicConstraints(true), keyUsage('digitalSignature'), extendedKeyUsage('codeSigning')],
    });
    const reply = await call(core, 'update', 'pki/sign-verbatim', { csr });
    const leaf = parseCertificate(dataOf(reply.body).certificate ?? '');
    expect(nameText(leaf.subject)).toBe('O=any');
    expect(leaf.sans.dns).toEqual(['any.name']);
    expect(leaf.isCa).toBe(false);
    expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(leaf.extendedKeyUsage).toEqual(['codeSigning']);
    expect((reply.body as { warnings: string[] }).warnings).toEqual([
      'specified CSR contained a Basic Constraints extension that was ignored during issuance',
    ]);
    await core.close();
  });

  test('a changed role, issuer or key is in force with the next certificate', async () => {
    const core = await openPki();
    await role(core, { allow_any_name: true, organization: 'before' });
    const issue = async (): Promise<ReturnType<typeof parseCertificate>> => {
      const { body } = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '1h' });
      return parseCertificate(dataOf(body).certificate ?? '');
    };
    expect(nameText((await issue()).subject)).toBe('CN=a.b,O=before');
    await role(core, { allow_any_name: true, organization: 'after', server_flag: false });
    const after = await issue();
    expect(nameText(after.subject)).toBe('CN=a.b,O=after');
    expect(after.extendedKeyUsage).toEqual(['clientAuth']);
    const rotated = await call(core, 'update', 'pki/root/rotate/internal', {
      common_name: 'Root 2',
      key_type: 'ec',
    });
    await call(core, 'update', 'pki/root/replace');
    expect((await issue()).authorityKeyId).toBe(
      parseCertificate(dataOf(rotated.body).certificate ?? '').subjectKeyId,
    );
    await core.close();
  });

  test('a permitted address is one of the networks of the role', async () => {
    const core = await openPki();
    await role(core, { allow_any_name: true, allowed_ip_sans_cidr: '10.0.0.0/9,fd00::/8' });
    const ask = (ip_sans: string): ReturnType<typeof call> =>
      call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ip_sans });
    expect((await ask('10.127.0.1,fd00::1')).status).toBe(200);
    expect(errorsOf((await ask('10.128.0.1')).body)).toEqual([
      'the IP address "10.128.0.1" is not allowed in this role',
    ]);
    await core.close();
  });

  test('a truncated leaf ends with its issuer to the second', async () => {
    const clock = new TestClock();
    const core = await openPki(clock);
    await role(core, { allow_any_name: true });
    await call(core, 'patch', 'pki/issuer/default', { leaf_not_after_behavior: 'truncate' });
    const root = dataOf((await call(core, 'read', 'pki/issuer/default')).body).certificate ?? '';
    clock.time += 87_599 * 3_600_000;
    const { body } = await call(core, 'update', 'pki/issue/r', { common_name: 'a.b', ttl: '10h' });
    expect(parseCertificate(dataOf(body).certificate ?? '').notAfter).toBe(parseCertificate(root).notAfter);
    await core.close();
  });
});

describe('names', () => {
  test('globs match as a regular expression would, in linear time', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*]{0,8}$/), fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
        const wanted = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
        expect(globMatches(pattern, text)).toBe(wanted);
      }),
    );
    const started = performance.now();
    globMatches(`${'a*'.repeat(2000)}b`, 'a'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('no text makes the rules throw or take long', () => {
    const strict = { ...defaultRole, allowed_domains: ['example.com', '*.glob.*'], allow_glob_domains: true };
    fc.assert(
      fc.property(fc.string({ maxLength: 2000, unit: 'binary' }), (name) => {
        asciiName(name);
        const refused = forbiddenName(strict, [name], '');
        if (refused === undefined) expect(name).toMatch(/localhost|localdomain|glob/);
      }),
    );
    const started = performance.now();
    forbiddenName(strict, [`${'a-'.repeat(400)}.`], '');
    expect(performance.now() - started).toBeLessThan(100);
  });
});
