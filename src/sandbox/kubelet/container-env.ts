import { expand } from './expand.ts';
import { fieldValue, resourceValue } from './field-values.ts';
import type { PathMap } from './path-map.ts';
import type { Container, EnvVar, KeyRef, Pod } from './pod.ts';

/** Reads of objects that environment variables come from. */
export interface ValueSource {
  /** Data of a ConfigMap or Secret (decoded), undefined when it does not exist. */
  data(
    kind: 'ConfigMap' | 'Secret',
    namespace: string,
    name: string,
  ): Promise<ReadonlyMap<string, Buffer> | undefined>;
}

/** A container cannot be created as its environment names something that is not there; kubectl shows this reason. */
export class CreateContainerConfigError extends Error {}

/** Environment of the container as its spec says, in order, `$(NAME)` expanded. Paths are still those of the container. */
export async function specEnvironment(
  pod: Pod,
  container: Container,
  source: ValueSource,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const [kind, ref] = from.configMapRef
      ? (['ConfigMap', from.configMapRef] as const)
      : (['Secret', from.secretRef] as const);
    if (ref === undefined) continue;
    const data = await source.data(kind, pod.metadata.namespace, ref.name);
    if (data === undefined && ref.optional !== true) throw missing(kind, ref.name);
    for (const [key, value] of data ?? []) values.set(`${from.prefix ?? ''}${key}`, value.toString('utf8'));
  }
  for (const variable of container.env ?? []) {
    const value = await valueOfVariable(pod, container, variable, source, values);
    if (value !== undefined) values.set(variable.name, value);
  }
  return values;
}

async function valueOfVariable(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  source: ValueSource,
  earlier: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (from === undefined || from === null) return expand(variable.value ?? '', earlier);
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath);
  if (from.resourceFieldRef) return resourceValue(pod.spec.containers, container, from.resourceFieldRef);
  if (from.configMapKeyRef) return await keyValue('ConfigMap', pod, from.configMapKeyRef, source);
  if (from.secretKeyRef) return await keyValue('Secret', pod, from.secretKeyRef, source);
  return '';
}

async function keyValue(
  kind: 'ConfigMap' | 'Secret',
  pod: Pod,
  ref: KeyRef,
  source: ValueSource,
): Promise<string | undefined> {
  const data = await source.data(kind, pod.metadata.namespace, ref.name);
  const value = data?.get(ref.key);
  if (value !== undefined) return value.toString('utf8');
  if (ref.optional === true) return undefined;
  throw data === undefined
    ? missing(kind, ref.name)
    : new CreateContainerConfigError(
        `couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${ref.name}`,
      );
}

function missing(kind: string, name: string): CreateContainerConfigError {
  return new CreateContainerConfigError(`${kind.toLowerCase()} "${name}" not found`);
}

/** What a container may see of the environment that meshroot itself runs in. */
const inherited = ['LANG', 'LC_ALL', 'TZ'] as const;

export interface HostEnvironment {
  readonly parent: Readonly<Record<string, string | undefined>>;
  /** Folder of the image's commands, first in PATH. */
  readonly toolDir: string;
  readonly home: string;
  readonly tmp: string;
  readonly hostname: string;
  readonly apiServer: { readonly host: string; readonly port: string };
  /** Absent when the pod has no service account token. */
  readonly kubeconfig: string | undefined;
}

/** Base64 of an agent's configuration; a long one goes on in VAULT_CONFIG_2, … as Linux bounds each variable. */
const agentConfig = /^VAULT_CONFIG(_\d+)?$/;

/** The parts as before, the paths inside mapped; each part takes its share of what got longer. */
function mappedConfig(spec: ReadonlyMap<string, string>, paths: PathMap): Record<string, string> {
  const parts = [...spec].filter(([name]) => agentConfig.test(name));
  const mapped = paths.base64(parts.map(([, value]) => value).join(''));
  const share = Math.ceil(mapped.length / Math.max(parts.length, 1));
  return Object.fromEntries(parts.map(([name], i) => [name, mapped.slice(i * share, (i + 1) * share)]));
}

/** The process environment: what an image and the kubelet give, then the spec's values with host paths. */
export function processEnvironment(
  spec: ReadonlyMap<string, string>,
  paths: PathMap,
  host: HostEnvironment,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of inherited) if (host.parent[name] !== undefined) env[name] = host.parent[name];
  Object.assign(env, {
    HOME: host.home,
    TMPDIR: host.tmp,
    HOSTNAME: host.hostname,
    KUBERNETES_SERVICE_HOST: host.apiServer.host,
    KUBERNETES_SERVICE_PORT: host.apiServer.port,
    KUBERNETES_SERVICE_PORT_HTTPS: host.apiServer.port,
    ...(host.kubeconfig === undefined ? {} : { KUBECONFIG: host.kubeconfig }),
  });
  for (const [name, value] of spec) if (!agentConfig.test(name)) env[name] = paths.text(value);
  Object.assign(env, mappedConfig(spec, paths));
  env.PATH = `${host.toolDir}:${spec.get('PATH') ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'}`;
  return env;
}
