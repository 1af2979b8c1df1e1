import { bundleFiles, bundleKvKeys, bundleParts } from '../istio/bundle.ts';
import type { PatchOperation } from '../lib/json-patch.ts';
import { parseGoBool } from './go-values.ts';
import type { Pod } from './pod.ts';
import { refusal } from './refusal.ts';
import type { InjectorSettings } from './settings.ts';

/** One annotation in the place of the ten that plug Istio's CA into an istiod pod. */
export const istioCaAnnotation = 'meshroot.io/istio-ca';
const clusterAnnotation = 'meshroot.io/cluster';

export function wantsIstioCa(all: ReadonlyMap<string, string>): boolean {
  const raw = all.get(istioCaAnnotation);
  return raw !== undefined && parseGoBool(raw);
}

/** Images of Istio run as 1337: what an agent with another uid keeps for itself, istiod and gateways cannot read. */
export const asIstioUser: readonly (readonly [string, string])[] = [
  ['agent-run-as-user', '1337'],
  ['agent-run-as-group', '1337'],
  ['agent-run-as-same-user', 'false'],
];

/**
 * The Vault annotations (without prefix) that `meshroot.io/istio-ca: "true"` stands for; those that the pod has itself
 * win. A key that is missing in Vault is an error here: istiod would take `<no value>` for a broken certificate.
 */
export function istioCaAnnotations(
  all: ReadonlyMap<string, string>,
  settings: InjectorSettings,
): Map<string, string> {
  const cluster = all.get(clusterAnnotation) ?? settings.cluster;
  if (cluster === '') {
    throw refusal(
      `${istioCaAnnotation} needs the name of the cluster: annotate ${clusterAnnotation} or set -cluster`,
    );
  }
  // it becomes part of a template
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(cluster)) {
    throw refusal(`${clusterAnnotation}: "${cluster}" is not the name of a cluster`);
  }
  const path = `kubernetes-${cluster}-secrets/istiod-service/certs`;
  return new Map([
    ['agent-inject', 'true'],
    ['agent-init-first', 'true'],
    ...asIstioUser,
    ['role', 'istiod'],
    ['auth-path', `auth/kubernetes-${cluster}`],
    ...bundleParts.flatMap((part): [string, string][] => [
      [`agent-inject-secret-${bundleFiles[part]}`, path],
      [
        `agent-inject-template-${bundleFiles[part]}`,
        `{{- with secret "${path}" -}}\n{{ .Data.${bundleKvKeys[part]} }}\n{{ end -}}\n`,
      ],
      [`error-on-missing-key-${bundleFiles[part]}`, 'true'],
      [`agent-inject-perms-${bundleFiles[part]}`, '0640'],
    ]),
  ]);
}

/** Tells istiod where its CA is, unless the pod says so already: ROOT_CA_DIR of `discovery`, else of the first container. */
export function rootCaDirPatch(pod: Pod, dir: string): PatchOperation[] {
  const i = Math.max(
    0,
    pod.containers.findIndex(({ name }) => name === 'discovery'),
  );
  const container = pod.containers[i];
  if (container === undefined || container.env.some(({ name }) => name === 'ROOT_CA_DIR')) return [];
  const variable = { name: 'ROOT_CA_DIR', value: dir };
  const path = `/spec/containers/${i}/env`;
  return [
    container.env.length === 0
      ? { op: 'add', path, value: [variable] }
      : { op: 'add', path: `${path}/-`, value: variable },
  ];
}
