import type { KubeApi, KubeObject, ObjectType, Selection } from '../../kube/api.ts';
import { textOf } from '../../kube/kube-object.ts';
import { codeOf, messageOf } from '../../lib/errors.ts';

/** What a cluster answered, as it came: objects of strangers, to be parsed by whoever looks at them. */
export interface ClusterObjects {
  readonly secrets: readonly KubeObject[];
  readonly istiods: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  readonly istioCsrs: readonly KubeObject[];
  readonly issuers: readonly KubeObject[];
  readonly certificates: readonly KubeObject[];
  readonly webhooks: readonly KubeObject[];
  /** `istio` (or `istio-REVISION`) and `istio-ca-root-cert` of the namespaces that istiod runs in. */
  readonly configMaps: readonly KubeObject[];
  /** What this user may not list, and why. */
  readonly unseen: readonly string[];
}

type Part = Exclude<keyof ClusterObjects, 'unseen' | 'configMaps'>;

interface Question {
  readonly part: Part | 'configMaps';
  readonly type: ObjectType;
  readonly selection: Selection;
}

const certManager = 'cert-manager.io/v1';
const ask = (
  part: Question['part'],
  apiVersion: string,
  kind: string,
  selection: Selection = {},
): Question => ({
  part,
  type: { apiVersion, kind },
  selection,
});

/** Never every Secret, never a namespace's worth of pods: only what belongs to a mesh's CA. */
const questions: readonly Question[] = [
  ask('secrets', 'v1', 'Secret', { fieldSelector: 'metadata.name=cacerts' }),
  ask('secrets', 'v1', 'Secret', { fieldSelector: 'metadata.name=istio-ca-secret' }),
  ask('istiods', 'apps/v1', 'Deployment', { labelSelector: 'app=istiod' }),
  ask('pods', 'v1', 'Pod', { labelSelector: 'app=istiod' }),
  ask('istioCsrs', 'apps/v1', 'Deployment', { fieldSelector: 'metadata.name=cert-manager-istio-csr' }),
  ask('issuers', certManager, 'Issuer'),
  ask('issuers', certManager, 'ClusterIssuer'),
  ask('certificates', certManager, 'Certificate'),
  ask('webhooks', 'admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
];

/**
 * Looks at a running cluster: lists only, nothing is written. What this user may not list is named in `unseen`.
 * @throws KubeError when the cluster cannot be reached or does not know the caller
 */
export async function readClusterObjects(kube: KubeApi): Promise<ClusterObjects> {
  const first = await Promise.all(questions.map((question) => answer(kube, question)));
  const of = (part: Part) =>
    first.flatMap(({ question, objects }) => (question.part === part ? objects : []));
  const istiods = of('istiods');
  const second = await Promise.all(configMapsOf(istiods).map((question) => answer(kube, question)));
  return {
    secrets: of('secrets'),
    istiods,
    pods: of('pods'),
    istioCsrs: of('istioCsrs'),
    issuers: of('issuers'),
    certificates: of('certificates'),
    webhooks: of('webhooks'),
    configMaps: second.flatMap(({ objects }) => objects),
    unseen: [...new Set([...first, ...second].flatMap(({ unseen }) => unseen ?? []))],
  };
}

/** Of every istiod its own mesh configuration, and the root that its namespace was told. */
function configMapsOf(istiods: readonly KubeObject[]): Question[] {
  const places = istiods.map(({ metadata }) => {
    const revision = textOf(metadata.labels?.['istio.io/rev']);
    const name = revision === '' || revision === 'default' ? 'istio' : `istio-${revision}`;
    return { namespace: textOf(metadata.namespace), name };
  });
  const wanted = places.length > 0 ? places : [{ namespace: 'istio-system', name: 'istio' }];
  const pairs = wanted.flatMap(({ namespace, name }) => [
    `${namespace}/${name}`,
    `${namespace}/istio-ca-root-cert`,
  ]);
  return [...new Set(pairs)].map((pair) => {
    const [namespace, name] = pair.split('/') as [string, string];
    return ask('configMaps', 'v1', 'ConfigMap', { namespace, fieldSelector: `metadata.name=${name}` });
  });
}

interface Answer {
  readonly question: Question;
  readonly objects: readonly KubeObject[];
  readonly unseen?: string;
}

/** A cluster without cert-manager does not know its kinds: that is an answer too. */
async function answer(kube: KubeApi, question: Question): Promise<Answer> {
  const { type, selection } = question;
  try {
    return { question, objects: await kube.list(type, selection) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'kube-not-found' || code === 'kube-unknown-kind') return { question, objects: [] };
    if (code !== 'kube-forbidden') throw error;
    const which = selection.fieldSelector ?? selection.labelSelector;
    const what = `${type.kind}${which === undefined ? '' : ` (${which})`}`;
    return { question, objects: [], unseen: `${what}: ${messageOf(error)}` };
  }
}
