import { basename, join } from 'node:path';
import type { KubeApi, KubeObject, ObjectType } from '../../kube/api.ts';
import { recordOf } from '../../kube/kube-object.ts';
import { messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { endings } from './gather.ts';
import type { RawFile, ScanFinding, ScanInput } from './input.ts';
import { bundlesOf } from './layouts.ts';
import { type Material, readMaterial } from './read-material.ts';

/** What is asked of the API server: only what holds certificates of a mesh, never every Secret. */
interface Question {
  readonly type: ObjectType;
  readonly fieldSelector?: string;
  readonly materials: (object: KubeObject) => readonly Omit<Material, 'mode'>[];
}

const secrets = (fieldSelector: string): Question => ({
  type: { apiVersion: 'v1', kind: 'Secret' },
  fieldSelector,
  materials: secretMaterials,
});

const webhooks = (kind: string): Question => ({
  type: { apiVersion: 'admissionregistration.k8s.io/v1', kind },
  materials: webhookMaterials,
});

const questions: readonly Question[] = [
  secrets('metadata.name=cacerts'), // plugged-in CA of istiod
  secrets('metadata.name=istio-ca-secret'), // istiod's self-made CA
  secrets('type=kubernetes.io/tls'),
  {
    type: { apiVersion: 'v1', kind: 'ConfigMap' },
    fieldSelector: 'metadata.name=istio-ca-root-cert',
    materials: configMapMaterials,
  },
  webhooks('MutatingWebhookConfiguration'),
  webhooks('ValidatingWebhookConfiguration'),
];

/**
 * Reads the certificates that a live cluster holds: CA Secrets of istiod, TLS Secrets, the root in every namespace and
 * the authorities of its webhooks. Only lists, by field selector; what this user may not list becomes a warning.
 * @param cluster how its places begin: `CLUSTER/secrets/NAMESPACE/NAME/KEY`
 */
export async function gatherCluster(kube: KubeApi, cluster: string): Promise<ScanInput> {
  const answers = await Promise.all(questions.map((question) => ask(kube, cluster, question)));
  const problems: ScanFinding[] = answers.flatMap(({ problem }) => problem ?? []);
  const byPath = new Map<string, RawFile>(); // a Secret can answer two questions
  for (const material of answers.flatMap(({ materials }) => materials)) {
    const path = join(cluster, material.path);
    if (!byPath.has(path)) byPath.set(path, readMaterial({ ...material, path, mode: 0o600 }, problems));
  }
  const files = [...byPath.values()];
  const unreadable = problems.map(({ file }) => file);
  // istiod leaves chain and root of its self-made CA empty: that is no set of four files
  const bundles = bundlesOf(files, unreadable).filter(({ folder }) => basename(folder) !== 'istio-ca-secret');
  return { files, bundles, problems };
}

interface Answer {
  readonly materials: readonly Omit<Material, 'mode'>[];
  readonly problem?: ScanFinding;
}

async function ask(kube: KubeApi, cluster: string, question: Question): Promise<Answer> {
  const { type, fieldSelector, materials } = question;
  try {
    const objects = await kube.list(type, { fieldSelector });
    return { materials: objects.flatMap(materials) };
  } catch (error) {
    if (!isRecord(error) || error.code !== 'kube-forbidden') throw error;
    return { materials: [], problem: notVisible(cluster, question, messageOf(error)) };
  }
}

function notVisible(cluster: string, { type, fieldSelector }: Question, why: string): ScanFinding {
  const which = fieldSelector === undefined ? '' : ` (${fieldSelector})`;
  return {
    code: 'not-visible',
    message: `${type.kind} objects${which} were not looked at: ${why}`,
    hint: 'let this user list them in all namespaces, or trust only what was seen',
    severity: 'warning',
    file: cluster,
  };
}

function secretMaterials({ metadata, data }: KubeObject): Omit<Material, 'mode'>[] {
  return Object.entries(recordOf(data)).flatMap(([key, value]) =>
    typeof value === 'string' && value !== '' && endings.test(key)
      ? [{ path: place('secrets', metadata, key), bytes: Buffer.from(value, 'base64'), inSecret: true }]
      : [],
  );
}

function configMapMaterials({ metadata, data }: KubeObject): Omit<Material, 'mode'>[] {
  return Object.entries(recordOf(data)).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [{ path: place('configmaps', metadata, key), bytes: Buffer.from(value) }]
      : [],
  );
}

function webhookMaterials({ metadata, webhooks: hooks }: KubeObject): Omit<Material, 'mode'>[] {
  return (Array.isArray(hooks) ? hooks.filter(isRecord) : []).flatMap(({ name, clientConfig }) => {
    const { caBundle } = recordOf(clientConfig);
    if (typeof caBundle !== 'string' || caBundle === '') return [];
    const path = join('webhooks', metadata.name, String(name), 'caBundle');
    return [{ path, bytes: Buffer.from(caBundle, 'base64') }];
  });
}

const place = (plural: string, { namespace, name }: KubeObject['metadata'], key: string): string =>
  join(plural, namespace ?? '', name, key);
