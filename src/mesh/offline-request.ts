import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lintBundleCertificates } from '../istio/bundle-lint.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { humanDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import { newRequest, refuseBad } from '../rotation/issue-bundle.ts';
import { readEntry, writeEntry } from '../rotation/kv-entry.ts';
import { type Certificate, parseCertificates } from '../x509/certificate.ts';
import { parseCsr } from '../x509/csr.ts';
import { describeCertificate } from '../x509/describe.ts';
import { samePublicKey } from '../x509/keys.ts';
import { isoDay } from '../x509/validity-rule.ts';
import { missingMount } from './kinds/auth-config.ts';
import { clusterNames, intermediateName, kvMetadataPath, kvPath } from './names.ts';
import { offlineRoot } from './offline-root.ts';
import { clusterVault, type Decision, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { storeBundle } from './store-bundle.ts';

/** Where a cluster stands between the request for its intermediate and the signature that comes from another machine. */
export interface OfflineRequest {
  /** PEM as Vault holds it; its key is beside it in an entry of its own. */
  readonly request: string | undefined;
  readonly files: { readonly request: string; readonly certificate: string };
  /** The file to be carried away holds this very request. */
  readonly carried: boolean;
  /** What came back, as text. */
  readonly signed: string | undefined;
  readonly root: Certificate | undefined;
}

/** @param path inside the cluster's secrets mount */
const keyEntry = (cluster: MeshCluster): string => `${clusterNames(cluster).bundlePath}-next/key`;
/** The request alone, without a secret: who may see the set-up may see it. */
export const requestEntry = (cluster: MeshCluster): string =>
  `${clusterNames(cluster).bundlePath}-next/request`;

/** Reads only. */
export async function seeOfflineRequest(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
): Promise<OfflineRequest | undefined> {
  const { offline } = mesh.root;
  if (offline === undefined) return undefined;
  const files = {
    request: join(offline.folder, `${cluster.name}.csr.pem`),
    certificate: join(offline.folder, `${cluster.name}.cert.pem`),
  };
  const vault = clusterVault(reach, cluster.name);
  const entry = await readEntry(vault, kvPath(cluster, requestEntry(cluster))).catch(missingMount);
  const request = typeof entry?.csr === 'string' ? entry.csr : undefined;
  const [carried, signed] = await Promise.all([textOf(files.request), textOf(files.certificate)]);
  const root = await offlineRoot(offline.cert);
  return { request, files, carried: request !== undefined && carried === request, signed, root };
}

/** What apply does next about it; a pure function. */
export function decideOffline(
  { request, files, carried, signed, root }: OfflineRequest,
  { name, intermediate: { ttl } }: MeshCluster,
  now: number,
): Decision {
  if (request === undefined)
    return { kind: 'add', lines: ['+ its key, into vault only', `+ ${files.request}, to be signed`] };
  if (!carried) return { kind: 'add', lines: [`+ ${files.request}, to be signed`] };
  const wait = (why: string): Decision => ({
    kind: 'wait',
    why,
    next: `where the root is: meshroot pki sign-offline ${basename(files.request)} --ttl ${humanDuration(ttl)}; put ${basename(files.certificate)} into ${dirname(files.certificate)}, then: meshroot apply`,
  });
  if (signed === undefined) return wait(`waiting for signature of ${files.request}`);
  const certificate = firstCertificate(signed);
  if (certificate === undefined) return refuse(`${files.certificate} is not a certificate`);
  if (!samePublicKey(certificate.publicKey, parseCsr(request).publicKey))
    return wait(`waiting for signature of ${files.request}: ${files.certificate} answers another request`);
  if (root === undefined) return refuse('the certificate of the root is missing');
  const [finding] = lintBundleCertificates(certificates(certificate, root), now).filter(
    ({ severity }) => severity !== 'warning',
  );
  if (finding !== undefined) return refuse(`${files.certificate} cannot serve ${name}: ${finding.message}`);
  return {
    kind: 'add',
    lines: [`+ ${describeCertificate(certificate)}, signed, to ${isoDay(certificate.notAfter)}`],
  };
}

/** Does what {@link decideOffline} said; may be killed at any point and called again. */
export async function advanceOffline(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  state: OfflineRequest,
): Promise<void> {
  if (state.request === undefined) return carry(state, await makeRequest(cluster, reach));
  if (!state.carried) return carry(state, state.request);
  return takeIn(mesh, cluster, reach, state);
}

async function makeRequest(cluster: MeshCluster, reach: Reach): Promise<string> {
  const vault = clusterVault(reach, cluster.name);
  const { keyType } = cluster.intermediate;
  const { key, csr } = await newRequest({ keyType, name: intermediateName(cluster) });
  // The key first: a request without its key would be signed in vain.
  await writeEntry(vault, kvPath(cluster, keyEntry(cluster)), { ca_key: key.reveal() }, cluster.kv);
  await writeEntry(vault, kvPath(cluster, requestEntry(cluster)), { csr }, cluster.kv);
  return csr;
}

async function carry({ files }: OfflineRequest, request: string): Promise<void> {
  await mkdir(dirname(files.request), { recursive: true });
  await writeFileAtomic(files.request, request, 0o644);
}

async function takeIn(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  { signed, root }: OfflineRequest,
): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  const certificate = firstCertificate(signed ?? '');
  const key = (await readEntry(vault, kvPath(cluster, keyEntry(cluster))))?.ca_key;
  if (certificate === undefined || root === undefined || typeof key !== 'string') {
    throw new MeshrootError('request-lost', `the key of ${cluster.name}'s request is not in vault any more`, {
      hint: `begin anew: vault kv delete ${kvPath(cluster, requestEntry(cluster))}, then meshroot apply`,
      exit: 1,
    });
  }
  const bundle = { caKey: new Secret(key), ...certificates(certificate, root) };
  refuseBad(bundle, { name: cluster.name, now: reach.clock.now() });
  await storeBundle(mesh, cluster, reach, bundle);
  await dropRequest(cluster, reach);
}

/** Once its certificate is in use, key and request are of no use but to a thief. */
export async function dropRequest(cluster: MeshCluster, reach: Reach): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  await vault.delete(kvMetadataPath(cluster, keyEntry(cluster)));
  await vault.delete(kvMetadataPath(cluster, requestEntry(cluster)));
}

/** Whether the certificate in use is the answer to the request: only the tidying up was not reached. */
export const isAnswered = ({ request }: OfflineRequest, inUse: Certificate): boolean =>
  request !== undefined && samePublicKey(parseCsr(request).publicKey, inUse.publicKey);

const certificates = ({ pem }: Certificate, root: Certificate) => ({
  caCert: pem,
  certChain: pem + root.pem,
  rootCert: root.pem,
});

function firstCertificate(text: string): Certificate | undefined {
  try {
    return parseCertificates(text)[0];
  } catch {
    return undefined;
  }
}

const textOf = async (path: string): Promise<string | undefined> =>
  (await readLimitedFile(path))?.bytes.toString('utf8');

const refuse = (message: string): Decision => ({
  kind: 'refuse',
  error: new MeshrootError('bad-signature', message, {
    hint: 'nothing was taken in; sign the request again with: meshroot pki sign-offline',
    exit: 1,
  }),
});
