import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaFlags } from '../../src/istio/ca-settings.ts';
import { day, type TestRoot, tempFolder, testRoot } from '../../src/istio/test-mesh.ts';
import { parseCsr } from '../../src/x509/csr.ts';
import { issueIntermediate } from '../../src/x509/templates/intermediate.ts';
import type { VaultCall } from './vault-caller.ts';

/** What docs/ca-differences.md asks of a role for `--signer vault-pki`. */
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
  not_before_duration: '120s',
  max_ttl: '24h',
};

/**
 * Intermediates whose keys are in a Vault, and the flags of a CA that signs with them.
 * @param address the way to the Vault that the CA takes; `call` may take another
 */
export async function keylessCa({ address, call }: { readonly address: string; readonly call: VaultCall }) {
  const root: TestRoot = await testRoot();
  const files = await tempFolder();
  await writeFile(join(files.path, 'token'), 'root\n');
  await writeFile(join(files.path, 'root-cert.pem'), root.certificate.pem);
  const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
  const flags = (more: CaFlags): CaFlags => ({
    rootCaDir: files.path,
    ...more,
    vault: { address, tokenFile: join(files.path, 'token'), ...more.vault },
  });
  return {
    root,
    flags,
    /** A new key `name` of transit/ and its intermediate in secret/. */
    transit: async (name: string, type = 'ecdsa-p256'): Promise<CaFlags> => {
      await call('POST', `transit/keys/${name}`, { type });
      const { keys } = await call('GET', `transit/keys/${name}`);
      const publicKey = readable((keys as Record<string, { public_key: string }>)['1']?.public_key ?? '');
      const made = await issueIntermediate({ issuer, publicKey, name, ttl: 30 * day, now: Date.now() });
      const kvPath = `secret/data/${name}`;
      const chain = made.pem + root.certificate.pem;
      const data = { ca_cert: made.pem, cert_chain: chain, root_cert: root.certificate.pem };
      await call('POST', kvPath, { data });
      return flags({ signer: 'vault-transit', vault: { transitKey: name, kvPath } });
    },
    /** A new PKI engine at `mount` with its intermediate and role `istio`. */
    pki: async (mount: string, role: object = {}): Promise<CaFlags> => {
      await call('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '8760h' } });
      const wanted = { common_name: 'x', key_type: 'ec', key_bits: 256 };
      const { csr } = await call('POST', `${mount}/intermediate/generate/internal`, wanted);
      const { publicKey } = parseCsr(String(csr));
      const made = await issueIntermediate({
        issuer,
        publicKey,
        name: mount,
        ttl: 30 * day,
        now: Date.now(),
      });
      const certificate = made.pem + root.certificate.pem;
      await call('POST', `${mount}/intermediate/set-signed`, { certificate });
      await call('POST', `${mount}/roles/istio`, { ...goodRole, ...role });
      return flags({ signer: 'vault-pki', vault: { pki: mount, pkiRole: 'istio' } });
    },
    remove: () => files.remove(),
  };
}

/** PEM for RSA and EC; of an Ed25519 key Vault shows its 32 bytes in base64. */
function readable(text: string) {
  if (text.includes('BEGIN')) return createPublicKey(text);
  const x = Buffer.from(text, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
