import { bundleFiles, type IstioBundle } from '../istio/bundle.ts';
import { readBundleFiles } from '../istio/bundle-files.ts';
import { judgeBundle } from '../istio/bundle-lint.ts';
import type { KubeApi } from '../kube/api.ts';
import { recordOf, textOf } from '../kube/kube-object.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { isoDay } from '../x509/validity-rule.ts';
import type { Decision, Reach } from './resource.ts';
import type { MeshCluster } from './schema.ts';

/** A CA that a cluster has already and that is to be taken along. */
export interface ImportedCa {
  /** As a person calls it. */
  readonly from: string;
  /** Undefined when it is not there, or (to touch the key once only) when Vault has a bundle already. */
  readonly bundle: IstioBundle | undefined;
  /** Why it cannot be read as a set of four. */
  readonly error: MeshrootError | undefined;
  /** What a person may do with the place that it came from, while it is there. */
  readonly leftover: string | undefined;
}

const secretType = { apiVersion: 'v1', kind: 'Secret' } as const;

/** Reads only, and the key only while Vault has no bundle: afterwards the Secret is looked at by its metadata. */
export async function seeImport(
  { name, intermediate }: MeshCluster,
  reach: Pick<Reach, 'kube'>,
  stored: boolean,
): Promise<ImportedCa | undefined> {
  const { secret, folder } = intermediate.import ?? {};
  if (folder !== undefined) {
    const read = async () => (await readBundleFiles(folder)).bundle;
    return { from: `folder ${folder}`, leftover: undefined, ...(stored ? nothing : await whole(read)) };
  }
  if (secret === undefined) return undefined;
  const [namespace, entry] = secret.split('/') as [string, string];
  const kube = await reach.kube(name);
  const from = `Secret ${secret}`;
  if (!stored) return { from, leftover: undefined, ...(await whole(() => bundleIn(kube, namespace, entry))) };
  const leftover = `Secret ${secret} of ${name} still holds the CA's key; once istiod reads it from Vault: kubectl --namespace ${namespace} delete secret ${entry}`;
  return { from, ...nothing, leftover: (await isThere(kube, namespace, entry)) ? leftover : undefined };
}

const nothing = { bundle: undefined, error: undefined };

/** What is wrong with the source itself is for the plan to refuse; a cluster that does not answer is not. */
async function whole(
  read: () => Promise<IstioBundle | undefined>,
): Promise<Pick<ImportedCa, 'bundle' | 'error'>> {
  try {
    return { bundle: await read(), error: undefined };
  } catch (error) {
    if (!(error instanceof MeshrootError) || error.code.startsWith('kube-')) throw error;
    return { bundle: undefined, error };
  }
}

async function bundleIn(kube: KubeApi, namespace: string, name: string): Promise<IstioBundle | undefined> {
  const secret = await kube.get({ ...secretType, namespace, name });
  if (secret === undefined) return undefined;
  const values = recordOf(secret.data);
  const text = (file: string): string => {
    const value = textOf(values[file]);
    if (value !== '') return Buffer.from(value, 'base64').toString('utf8');
    throw new MeshrootError('bundle-incomplete', `Secret ${namespace}/${name} has no ${file}`, {
      hint: `a bundle is ${Object.values(bundleFiles).join(', ')}, all four`,
      exit: 1,
    });
  };
  return {
    caKey: new Secret(text(bundleFiles.caKey)),
    caCert: text(bundleFiles.caCert),
    certChain: text(bundleFiles.certChain),
    rootCert: text(bundleFiles.rootCert),
  };
}

/** Who may not list it is not told of it; that is no reason to fail. */
async function isThere(kube: KubeApi, namespace: string, name: string): Promise<boolean> {
  const selection = { namespace, fieldSelector: `metadata.name=${name}`, metadataOnly: true };
  const found = await kube.list(secretType, selection).catch((error: unknown) => {
    if (codeOf(error) === 'kube-forbidden') return [];
    throw error;
  });
  return found.length > 0;
}

const anew = 'for a new intermediate take intermediate.import out of mesh.yaml';

/**
 * Whether it can become the cluster's first bundle; pure.
 * @param root the mesh's, as far as it is there
 */
export function decideImport(
  { from, bundle, error }: ImportedCa,
  root: Certificate | undefined,
  { name }: Pick<MeshCluster, 'name'>,
  now: number,
): Decision {
  if (error !== undefined) {
    return refuse('bad-import', `${name}: ${from} cannot serve: ${error.message}`, error.hint ?? anew);
  }
  if (bundle === undefined) {
    return refuse('no-import', `${name}: ${from} is not there`, anew);
  }
  const [finding] = judgeBundle(bundle, now);
  if (finding !== undefined) {
    const hint = finding.hint ?? anew;
    return refuse('bad-import', `${name}: ${from} cannot serve: ${finding.message}`, hint);
  }
  const ca = parseCertificate(bundle.caCert);
  if (root === undefined || parseCertificate(bundle.rootCert).fingerprint !== root.fingerprint) {
    return refuse(
      'root-mismatch',
      `${name}: ${from} hangs from another root than the mesh's`,
      'name its root in mesh.yaml: root: { offline: { cert: root-cert.pem } }, or root.import with its key',
    );
  }
  return {
    kind: 'add',
    lines: [
      `+ imported from ${from}: ${describeCertificate(ca)}, to ${isoDay(ca.notAfter)}; trust does not change`,
    ],
  };
}

/** In words for the plan's row. */
export const importSummary = ({ intermediate }: MeshCluster): string | undefined =>
  intermediate.import &&
  `imported from ${intermediate.import.secret === undefined ? `folder ${intermediate.import.folder}` : `Secret ${intermediate.import.secret}`}`;

const refuse = (code: string, message: string, hint: string): Decision => ({
  kind: 'refuse',
  error: new MeshrootError(code, message, { hint, exit: 1 }),
});
