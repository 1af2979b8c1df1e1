import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baoDev, baoPath } from '../../test/support/bao-dev.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { parseCsr } from '../x509/csr.ts';
import { generateKeyPair } from '../x509/keys.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import type { CaFlags } from './ca-settings.ts';
import { day, type TestRoot, tempFolder, testCsr, testRoot } from './test-mesh.ts';

type Bao = Awaited<ReturnType<typeof baoDev>>;
const shop = 'spiffe://cluster.local/ns/demo/sa/shop';

describe.skipIf(baoPath === undefined)('keyless, with a real OpenBao (skipped without bao on PATH)', () => {
  let bao: Bao;
  let root: TestRoot;
  let files: Awaited<ReturnType<typeof tempFolder>>;
  beforeAll(async () => {
    bao = await baoDev(baoPath ?? '');
    root = await testRoot();
    files = await tempFolder();
    await writeFile(join(files.path, 'token'), 'root\n');
    await writeFile(join(files.path, 'root-cert.pem'), root.certificate.pem);
  }, 30_000);
  afterAll(async () => {
    await bao.close();
    await files.remove();
  });

  const flags = (more: CaFlags): CaFlags => ({
    rootCaDir: files.path,
    ...more,
    vault: { address: bao.address, tokenFile: join(files.path, 'token'), ...more.vault },
  });

  async function transitKey(name: string, type: string): Promise<CaFlags> {
    await bao.call('POST', `transit/keys/${name}`, { type });
    const { keys } = (await bao.call('GET', `transit/keys/${name}`)) as {
      keys: Record<string, { public_key: string }>;
    };
    const text = keys['1']!.public_key;
    const publicKey = text.includes('BEGIN')
      ? createPublicKey(text)
      : createPublicKey({
          key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(text, 'base64').toString('base64url') },
          format: 'jwk',
        });
    const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
    const made = await issueIntermediate({ issuer, publicKey, name, ttl: 30 * day, now: Date.now() });
    const kvPath = `secret/data/${name}`;
    await bao.call('POST', kvPath, {
      data: {
        ca_cert: made.pem,
        cert_chain: made.pem + root.certificate.pem,
        root_cert: root.certificate.pem,
      },
    });
    return flags({ signer: 'vault-transit', vault: { transitKey: name, kvPath } });
  }

  async function pkiRole(mount: string, role: object): Promise<CaFlags> {
    await bao.call('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '8760h' } });
    const { csr } = await bao.call('POST', `${mount}/intermediate/generate/internal`, {
      common_name: 'x',
      key_type: 'ec',
      key_bits: 256,
    });
    const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
    const { publicKey } = parseCsr(String(csr));
    const made = await issueIntermediate({ issuer, publicKey, name: mount, ttl: 30 * day, now: Date.now() });
    await bao.call('POST', `${mount}/intermediate/set-signed`, {
      certificate: made.pem + root.certificate.pem,
    });
    await bao.call('POST', `${mount}/roles/istio`, { ...goodRole, ...role });
    return flags({ signer: 'vault-pki', vault: { pki: mount, pkiRole: 'istio' } });
  }

  const goodRole = {
    allowed_uri_sans: 'spiffe://cluster.local/*',
    allowed_domains: 'svc',
    allow_subdomains: true,
    require_cn: false,
    use_csr_sans: false,
    use_csr_common_name: false,
    key_type: 'any',
    key_usage: 'DigitalSignature,KeyEncipherment',
    no_store: true,
    max_ttl: '24h',
  };

  async function serves(caFlags: CaFlags) {
    const ca = await runningCa({}, caFlags);
    try {
      const { csr } = await testCsr();
      const chain = await ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem });
      const [leaf, issuer] = chain.map((one) => parseCertificate(one));
      expect(chain).toHaveLength(3);
      expect(leaf!.sans).toEqual({ uri: [shop], dns: [], ip: [], email: [] });
      expect(leaf!.publicKey.equals(parseCsr(csr).publicKey)).toBe(true);
      expect(leaf!.notAfter - Date.now()).toBeLessThanOrEqual(3_600_000);
      expect(chain.at(-1)).toBe(root.certificate.pem);
      const judged = {
        leaf: leaf!,
        intermediates: [issuer!],
        roots: [root.certificate],
        now: Date.now(),
        purpose: 'client',
      } as const;
      expect(judgeChain(judged)).toEqual([]);
      return ca.log();
    } finally {
      await ca.close();
    }
  }

  test('transit: the engine signs, certificate and key stay a pair', async () => {
    await bao.call('POST', 'sys/mounts/transit', { type: 'transit' });
    for (const type of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])
      await serves(await transitKey(`ca-${type}`, type));
  }, 30_000);

  test('transit: a key that the intermediate was not made for is refused at the start', async () => {
    await transitKey('one', 'ecdsa-p256');
    await transitKey('two', 'ecdsa-p256');
    const wrong = flags({ signer: 'vault-transit', vault: { transitKey: 'one', kvPath: 'secret/data/two' } });
    await expect(runningCa({}, wrong)).rejects.toMatchObject({
      code: 'key-does-not-match',
      message: 'no version of transit/one is the key of the intermediate',
    });
  });

  test('transit: after a rotation of the key the version of the intermediate signs on', async () => {
    const caFlags = await transitKey('turned', 'ecdsa-p256');
    await bao.call('POST', 'transit/keys/turned/rotate');
    await serves(caFlags);
  });

  test('pki: the role signs for the caller, whatever its request names', async () => {
    const log = await serves(await pkiRole('pki-good', {}));
    expect(log).toContain('Using Vault PKI pki-good, role istio, for signing');
    expect(log).toContain('outage budget: ');
  });

  test('pki: a role that takes names from the request never makes a wrong identity', async () => {
    const caFlags = await pkiRole('pki-loose', { use_csr_sans: true });
    const ca = await runningCa({}, { ...caFlags, csrMode: 'compat' });
    try {
      const { csr } = await testCsr({ uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' });
      const asked = ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem });
      await expect(asked).rejects.toMatchObject({
        grpcCode: 13,
        message: 'CSR signing error (the certificate that Vault signed has names other than those asked for)',
      });
    } finally {
      await ca.close();
    }
  });

  test('a Vault that hangs costs five seconds at most, then nothing, and comes back by itself', async () => {
    const ca = await runningCa({}, await pkiRole('pki-slow', {}));
    try {
      const call = {
        csr: (await testCsr()).csr,
        token: await ca.token(),
        rootPem: root.certificate.pem,
        timeout: 20_000,
      };
      await ca.ask(call);
      bao.hang();
      const began = Date.now();
      const refused = { grpcCode: 14, message: 'the signer is not available, try again' };
      await Promise.all(Array.from({ length: 8 }, () => expect(ca.ask(call)).rejects.toMatchObject(refused)));
      expect(Date.now() - began).toBeLessThan(6000);
      const later = Date.now();
      await expect(ca.ask(call)).rejects.toMatchObject(refused);
      expect(Date.now() - later).toBeLessThan(1000);
      bao.goOn();
      const end = Date.now() + 10_000;
      while ((await ca.ask(call).catch(() => [])).length === 0) expect(Date.now()).toBeLessThan(end);
    } finally {
      bao.goOn();
      await ca.close();
    }
  }, 40_000);

  test('with a reserve that the operator allows, the outage is not felt', async () => {
    const reserve = await reserveFolder(root);
    const ca = await runningCa(
      {},
      {
        ...(await pkiRole('pki-reserve', {})),
        reserveDir: reserve.path,
        reservePassphraseFile: join(reserve.path, 'passphrase'),
      },
    );
    try {
      expect(ca.log()).toContain('outage budget: without its Vault the reserve intermediate signs until ');
      bao.hang();
      const call = { csr: (await testCsr()).csr, token: await ca.token(), rootPem: root.certificate.pem };
      const chain = await ca.ask({ ...call, timeout: 20_000 });
      expect(parseCertificate(chain[1]!).subject).toContainEqual({ type: 'L', value: 'reserve' });
      expect(chain.at(-1)).toBe(root.certificate.pem);
    } finally {
      bao.goOn();
      await ca.close();
      await reserve.remove();
    }
  }, 30_000);

  test.each([
    [{ ttl: 60 * day }, 'reserve-too-long', 'the reserve intermediate lives longer than 31 days'],
    [{ plain: true }, 'reserve-not-encrypted', 'the key of the reserve is not encrypted'],
    [{ passphrase: 'other' }, 'reserve-locked', 'the passphrase does not open the key of the reserve'],
    [
      { stranger: true },
      'reserve-other-root',
      'the reserve intermediate has a root that the mesh does not have',
    ],
  ])('a reserve with %j is refused', async (shape, code, message) => {
    const reserve = await reserveFolder(root, shape);
    const caFlags = { reserveDir: reserve.path, reservePassphraseFile: join(reserve.path, 'passphrase') };
    const started = runningCa({}, { ...(await pkiRole(`pki-${code}`, {})), ...caFlags });
    await expect(started).rejects.toMatchObject({ code, message });
    await reserve.remove();
  });
});

async function reserveFolder(
  mesh: TestRoot,
  shape: { ttl?: number; plain?: boolean; passphrase?: string; stranger?: boolean } = {},
) {
  const folder = await tempFolder();
  const root = shape.stranger === true ? await testRoot('Stranger') : mesh;
  const key = await generateKeyPair('ec-p256');
  const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
  const ttl = shape.ttl ?? 7 * day;
  const made = await issueIntermediate({
    issuer,
    publicKey: key.publicKey,
    name: 'reserve',
    ttl,
    now: Date.now(),
  });
  const secret = shape.plain === true ? {} : { cipher: 'aes-256-cbc', passphrase: 'sesame' };
  const texts = {
    'ca-key.pem': key.privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }),
    'ca-cert.pem': made.pem,
    'cert-chain.pem': made.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
    passphrase: `${shape.passphrase ?? 'sesame'}\n`,
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder.path, name), text);
  return folder;
}
