import type { VaultClient } from '../client/vault-client.ts';
import { PkiSigner } from '../istio/ca-pki-signer.ts';
import { days, humanDuration, minutes } from '../lib/duration.ts';
import { createCsr, parseCsr } from '../x509/csr.ts';
import { generateKeyPair } from '../x509/keys.ts';
import { pkiRole } from './keyless.ts';
import { clusterNames } from './names.ts';
import type { MeshCluster } from './schema.ts';

/** No file can be below it: the root comes from the chain of the mount. */
const noFolder = '/dev/null';

/**
 * What the CA of a keyless cluster does: one certificate for its own service account, signed by Vault and judged.
 * @param login a client with the Vault token of that service account
 * @throws MeshrootError of the signer
 */
export async function signOnce(
  cluster: MeshCluster,
  trustDomain: string,
  login: VaultClient,
  now: number,
): Promise<string> {
  const { namespace, serviceAccount } = cluster.istiod;
  const mount = clusterNames(cluster).pkiMount;
  const signer = await PkiSigner.open({
    session: login,
    mount,
    role: pkiRole,
    folder: noFolder,
    multiRoot: false, // one question, no reload
    now: () => now,
  });
  const key = await generateKeyPair('ec-p256');
  const csr = parseCsr(await createCsr({ key }));
  const uris = [`spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`];
  await signer.signWorkload({ csr, uris, ttl: minutes(10), now });
  const left = signer.trust().certificate.notAfter - now;
  return `had Vault sign for it by its CA, which is sound for ${humanDuration(left < days(1) ? left : left - (left % days(1)))}`;
}
