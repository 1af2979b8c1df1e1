import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../x509/certificate.ts';
import { judgeChain } from '../../../x509/chain.ts';
import { createCsr } from '../../../x509/csr.ts';
import { generateKeyPair } from '../../../x509/keys.ts';
import { nameText } from '../../../x509/name.ts';
import { createMemoryPhysical } from '../../core/physical-memory.ts';
import type { VaultCore } from '../../core/vault-core.ts';
import { call, openTestCore } from '../../test-core.ts';

const dataOf = (body: unknown): Record<string, string> => (body as { data: Record<string, string> }).data;

async function withRoot(
  keyType = 'ec',
  bits = 384,
): Promise<{ core: VaultCore; root: Record<string, string> }> {
  const core = await openTestCore();
  await call(core, 'update', 'sys/mounts/meshroot-root', {
    type: 'pki',
    config: { max_lease_ttl: '87600h' },
  });
  const reply = await call(core, 'update', 'meshroot-root/root/generate/internal', {
    common_name: 'Root CA',
    organization: 'Istio',
    key_type: keyType,
    key_bits: bits,
    ttl: '87600h',
  });
  return { core, root: dataOf(reply.body) };
}

async function csrOf(): Promise<string> {
  return createCsr({
    key: await generateKeyPair('ec-p256'),
    subject: [
      { type: 'O', value: 'Istio' },
      { type: 'CN', value: 'Intermediate CA' },
      { type: 'L', value: 'cluster1' },
    ],
    sans: { dns: ['istiod.istio-system.svc'] },
  });
}

describe('pki', () => {
  test('a root signs an intermediate with the values of its request and path length 0', async () => {
    const { core, root } = await withRoot();
    const reply = await call(core, 'update', 'meshroot-root/root/sign-intermediate', {
      csr: await csrOf(),
      use_csr_values: true,
      max_path_length: 0,
      ttl: '2160h',
    });
    expect(reply.status).toBe(200);
    const leaf = parseCertificate(String(dataOf(reply.body).certificate));
    expect(nameText(leaf.subject)).toBe('CN=Intermediate CA,O=Istio,L=cluster1');
    expect(leaf).toMatchObject({ isCa: true, pathLength: 0 });
    expect(leaf.sans.dns).toEqual(['istiod.istio-system.svc']);
    const roots = [parseCertificate(String(root.certificate))];
    expect(judgeChain({ leaf, intermediates: [], roots, now: Date.now(), purpose: 'ca' })).toEqual([]);
    await core.close();
  });

  test('nothing is signed that outlives the root', async () => {
    const { core } = await withRoot();
    const reply = await call(core, 'update', 'meshroot-root/root/sign-intermediate', {
      csr: await csrOf(),
      use_csr_values: true,
      not_after: '2099-01-01T00:00:00Z',
    });
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body)).toMatch(
      /cannot satisfy request, as TTL would result in notAfter of 2099-01-01T00:00:00Z that is beyond the expiration of the CA certificate at 20/,
    );
    await core.close();
  });

  test('the key of the root is in no answer and in the store only encrypted', async () => {
    const physical = createMemoryPhysical();
    const core = await openTestCore({ physical });
    await call(core, 'update', 'sys/mounts/r', { type: 'pki' });
    const made = await call(core, 'update', 'r/root/generate/internal', {
      common_name: 'R',
      key_type: 'ec',
      key_bits: 256,
    });
    const exported = await call(core, 'update', 'r/root/generate/exported', {
      common_name: 'R',
      key_type: 'ec',
    });
    expect(exported.status).toBe(400);
    const issuer = await call(core, 'read', 'r/issuer/default');
    expect(JSON.stringify([made.body, issuer.body])).not.toContain('PRIVATE KEY');
    const stored = [...physical.keys('')]
      .map((key) => Buffer.from(physical.get(key) ?? []).toString('latin1'))
      .join();
    expect(stored).not.toContain('PRIVATE KEY');
    await core.close();
  });

  test('anyone may read the certificate; an empty mount says so', async () => {
    const { core, root } = await withRoot();
    const pem = await call(core, 'read', 'meshroot-root/ca/pem', {}, '');
    expect(pem.raw).toEqual({ contentType: 'application/pem-certificate-chain', body: root.certificate });
    const json = await call(core, 'read', `meshroot-root/cert/${root.serial_number}`, {}, '');
    expect(dataOf(json.body).certificate).toBe(root.certificate);
    await call(core, 'update', 'sys/mounts/empty', { type: 'pki' });
    const empty = await call(core, 'read', 'empty/cert/ca', {}, '');
    expect(empty).toEqual({ status: 400, body: { errors: ['no default issuer currently configured'] } });
    await core.close();
  });
});
