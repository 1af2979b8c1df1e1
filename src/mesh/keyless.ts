import type { VaultClient } from '../client/vault-client.ts';
import type { BundleCertificates } from '../istio/bundle.ts';
import { lintBundleCertificates } from '../istio/bundle-lint.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { signIntermediate } from '../rotation/issue-bundle.ts';
import { isSelfSigned, parseCertificates } from '../x509/certificate.ts';
import { istiodDns } from '../x509/templates/intermediate.ts';
import { missingMount } from './kinds/auth-config.ts';
import { vaultKeyType } from './kinds/root.ts';
import { clusterNames, intermediateName } from './names.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/** Role of the PKI mount by which our CA signs. */
export const pkiRole = 'workloads';

/** Whether the CA's key stays inside Vault, in a PKI mount of the cluster, and our CA asks Vault to sign. */
export const isKeyless = ({ intermediate }: Pick<MeshCluster, 'intermediate'>): boolean =>
  intermediate.delivery === 'keyless';

/** What the CA of such a cluster calls: `sign` of its role, and its chain. */
export function keylessPaths(cluster: MeshCluster): { readonly sign: string; readonly chain: string } {
  const { pkiMount } = clusterNames(cluster);
  return { sign: `${pkiMount}/sign/${pkiRole}`, chain: `${pkiMount}/cert/ca_chain` };
}

/** The certificates of a cluster's CA as its PKI mount shows them; undefined while there is no intermediate in it. */
export async function seeKeyless(
  cluster: MeshCluster,
  vault: VaultClient,
): Promise<BundleCertificates | undefined> {
  const data = (await vault.read(keylessPaths(cluster).chain).catch(noIssuerYet))?.data;
  const text = isRecord(data) ? String(data.ca_chain || data.certificate || '') : '';
  const chain = parseCertificates(text);
  const [own] = chain.filter((one) => !isSelfSigned(one));
  const root = chain.find(isSelfSigned);
  if (own === undefined || root === undefined) return undefined;
  return { caCert: own.pem, certChain: own.pem + root.pem, rootCert: root.pem };
}

/** Vault has no word of its own for a PKI mount into which nothing was put. */
function noIssuerYet(error: unknown): undefined {
  if (error instanceof MeshrootError && /no default issuer/i.test(error.message)) return undefined;
  return missingMount(error);
}

/**
 * A new intermediate for the cluster: its key is made inside its PKI mount and stays there, its certificate is signed by the
 * root, judged, put in, and signs from then on. Killed in the middle it leaves at most a key that nothing uses.
 * @throws MeshrootError `bundle-refused`, `bad-vault-reply`
 */
export async function issueKeyless(mesh: Mesh, cluster: MeshCluster, reach: Reach): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  const { pkiMount } = clusterNames(cluster);
  const { keyType, ttl } = cluster.intermediate;
  const made = await vault.write(`${pkiMount}/intermediate/generate/internal`, {
    common_name: 'Intermediate CA',
    organization: 'Istio',
    locality: intermediateName(cluster),
    alt_names: istiodDns.join(','),
    exclude_cn_from_sans: true,
    ...vaultKeyType(keyType),
  });
  const order = { vault: reach.vault, rootMount: mesh.root.mount, ttl };
  const { certificate, root } = await signIntermediate(order, String(made?.data?.csr ?? ''));
  const set = { caCert: certificate, certChain: certificate + root, rootCert: root };
  const [finding] = lintBundleCertificates(set, reach.clock.now()).filter(
    ({ severity }) => severity !== 'warning',
  );
  if (finding !== undefined) {
    const message = `the new intermediate of ${cluster.name} is not usable: ${finding.message}`;
    throw new MeshrootError('bundle-refused', message, {
      hint: 'it was not put in; the old one signs on',
      exit: 1,
    });
  }
  const put = await vault.write(`${pkiMount}/intermediate/set-signed`, { certificate: set.certChain });
  const issuer = issuerWithKey(put?.data?.mapping);
  if (issuer !== undefined) await vault.write(`${pkiMount}/config/issuers`, { default: issuer });
}

/** Of those that were put in, the one whose key the mount has; undefined where a mount has one issuer only (Vault before 1.11). */
function issuerWithKey(mapping: unknown): string | undefined {
  return isRecord(mapping) ? Object.entries(mapping).find(([, key]) => Boolean(key))?.[0] : undefined;
}
