import type { KubeObject } from '../../kube/api.ts';
import { recordOf, textOf } from '../../kube/kube-object.ts';
import { type PodFacts, podFacts } from './pod-template.ts';

/** Where an istiod that has its CA injected gets it from. Empty texts are unknown. */
export interface InjectedVault {
  /** Address as pods know it. */
  readonly address: string;
  readonly namespace: string;
  readonly authMount: string;
  readonly role: string;
  readonly secretsMount: string;
  readonly bundlePath: string;
  readonly kv: 1 | 2;
}

const prefix = 'vault.hashicorp.com/';
const usualBundlePath = 'istiod-service/certs';

/**
 * Reads the annotations of vault-k8s on istiod's pods; undefined when no CA key is injected.
 * @see https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations
 */
export function injectedVault(istiod: PodFacts, pods: readonly KubeObject[]): InjectedVault | undefined {
  const { annotations } = istiod;
  const of = (name: string): string => annotations[prefix + name] ?? '';
  const own =
    annotations['meshroot.io/istio-ca'] === 'true' ? (annotations['meshroot.io/cluster'] ?? '') : '';
  const path = keyPath(annotations) || (own && `kubernetes-${own}-secrets/${usualBundlePath}`);
  if (path === '') return undefined;
  const authMount = (of('auth-path') || (own && `kubernetes-${own}`)).replace(/^auth\//, '');
  return {
    address: of('service') || addressIn(pods),
    namespace: of('namespace'),
    authMount,
    role: of('role') || (own && 'istiod'),
    ...splitPath(path),
  };
}

/** Path of the entry that becomes ca-key.pem: by its annotation, else by the one that its template reads. */
function keyPath(annotations: PodFacts['annotations']): string {
  const said = annotations[`${prefix}agent-inject-secret-ca-key.pem`] ?? '';
  if (said !== '') return said;
  const template = annotations[`${prefix}agent-inject-template-ca-key.pem`] ?? '';
  return /\bsecret "([^"]{1,512})"/.exec(template)?.[1] ?? '';
}

/** Mounts may have slashes in their names; the usual end of the path, or KV v2's `data/`, tells where they end. */
function splitPath(path: string): Pick<InjectedVault, 'secretsMount' | 'bundlePath' | 'kv'> {
  const [before, after] = halves(path, '/data/');
  if (after !== '') return { secretsMount: before, bundlePath: after, kv: 2 };
  if (path.endsWith(`/${usualBundlePath}`)) {
    return { secretsMount: path.slice(0, -usualBundlePath.length - 1), bundlePath: usualBundlePath, kv: 1 };
  }
  const [secretsMount, bundlePath] = halves(path, '/');
  return { secretsMount, bundlePath, kv: 1 };
}

function halves(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** As the injector wrote it into the agent of a running istiod. */
function addressIn(pods: readonly KubeObject[]): string {
  for (const { env } of pods.flatMap((pod) => podFacts(pod).containers)) {
    const parts = Object.keys(env).filter((name) => /^VAULT_CONFIG(_\d+)?$/.test(name));
    const config = parts.map((name) => env[name]).join('');
    const address = (config === '' ? '' : addressOf(config)) || env.VAULT_ADDR || '';
    if (address !== '') return address;
  }
  return '';
}

/** @param config base64 of the agent's configuration as JSON */
function addressOf(config: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(config, 'base64').toString('utf8'));
    return textOf(recordOf(recordOf(parsed).vault).address);
  } catch {
    return '';
  }
}
