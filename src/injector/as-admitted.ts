import { isRecord } from '../lib/records.ts';

type Json = Readonly<Record<string, unknown>>;

/** A pod as it stands in a file, and what it is called there. */
export interface WrittenPod {
  /** e.g. `Deployment shop` */
  readonly name: string;
  readonly namespace: string | undefined;
  readonly pod: Json;
}

/** Where the kinds that make pods keep their template. */
const templates: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind) => [
      kind,
      ['spec', 'template'],
    ]),
  ),
};

/** Every pod that an object of a manifest makes; a List makes those of its items. */
export function podsOf(object: unknown): WrittenPod[] {
  if (!isRecord(object)) return [];
  if (Array.isArray(object.items)) return object.items.flatMap(podsOf);
  const kind = typeof object.kind === 'string' ? object.kind : '';
  const path = templates[kind];
  if (path === undefined) return [];
  const pod = path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), object);
  if (!isRecord(pod)) return [];
  const { name, namespace } = isRecord(object.metadata) ? object.metadata : {};
  return [
    {
      name: `${kind} ${typeof name === 'string' ? name : '(unnamed)'}`,
      namespace: typeof namespace === 'string' ? namespace : undefined,
      pod: { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata ?? {}, spec: pod.spec ?? {} },
    },
  ];
}

const tokenMount = {
  name: 'kube-api-access',
  readOnly: true,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
};

/** The pod as a webhook sees it: the API server mounts the token of the service account before it asks. */
export function asAdmitted(pod: Json): Json {
  const spec = isRecord(pod.spec) ? pod.spec : {};
  if (spec.automountServiceAccountToken === false) return pod;
  const lists = [spec.containers, spec.initContainers];
  const missing = lists.some((list) => Array.isArray(list) && list.some((one) => !hasToken(one)));
  if (!missing) return pod;
  const source = { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } };
  const volume = { name: tokenMount.name, projected: { sources: [source] } };
  const volumes: unknown[] = Array.isArray(spec.volumes) ? spec.volumes : [];
  return {
    ...pod,
    spec: {
      ...spec,
      ...withToken('containers', spec.containers),
      ...withToken('initContainers', spec.initContainers),
      volumes: [...volumes, volume],
    },
  };
}

function hasToken(container: unknown): boolean {
  if (!isRecord(container) || !Array.isArray(container.volumeMounts)) return false;
  return container.volumeMounts.some((mount) => isRecord(mount) && mount.mountPath === tokenMount.mountPath);
}

function withToken(key: string, containers: unknown): Json {
  if (!Array.isArray(containers)) return {};
  const mounted = containers.map((container: unknown) => {
    if (!isRecord(container) || hasToken(container)) return container;
    const mounts: unknown[] = Array.isArray(container.volumeMounts) ? container.volumeMounts : [];
    return { ...container, volumeMounts: [...mounts, tokenMount] };
  });
  return { [key]: mounted };
}
