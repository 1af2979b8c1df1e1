import { escapePointer, type PatchOperation } from '../lib/json-patch.ts';
import { agentConfig } from './agent-config.ts';
import { type AgentContainer, agentContainer } from './agent-container.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentVolumes, secretMounts } from './agent-volumes.ts';
import { type Annotations, vaultPrefix } from './annotations.ts';
import type { Container, Pod } from './pod.ts';
import {
  configFile,
  configFileVolume,
  configMapAnnotation,
  type ProjectedConfig,
  projectedConfig,
} from './projected-config.ts';
import { refusal } from './refusal.ts';
import type { Mount, NamedVolume } from './volume.ts';

/**
 * What makes the pod an injected one. Only additions, so nothing of the pod is rewritten: the init agent goes in
 * front by `add /spec/initContainers/0` where vault-k8s removes and re-adds the others.
 */
export function podPatch(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  { initAgent, sidecar, projected }: Agents,
): PatchOperation[] {
  const own = projected === undefined ? [] : [configFileVolume(projected)];
  const volumes = [...agentVolumes(options, annotations), ...own];
  const mounts = secretMounts(options, annotations);
  refuseTakenNames(pod, volumes, [initAgent, sidecar]);
  return [
    ...append('/spec/volumes', pod.volumes.length, volumes),
    ...pod.containers.flatMap((container, i) =>
      options.containers.has(container.name) ? addMounts(container, `/spec/containers/${i}`, mounts) : [],
    ),
    ...(initAgent === undefined ? [] : addInitAgent(pod, options, initAgent, mounts)),
    ...(sidecar === undefined ? [] : append('/spec/containers', pod.containers.length, [sidecar])),
    ...(projected === undefined ? [] : [annotate(configMapAnnotation, projected.name)]),
    annotate(`${vaultPrefix}agent-inject-status`, 'injected'),
  ];
}

export interface Agents {
  /** Among the init containers: one that ends, or a native sidecar. */
  readonly initAgent: AgentContainer | undefined;
  readonly sidecar: AgentContainer | undefined;
  /** What must be there before the pod is. */
  readonly projected: ProjectedConfig | undefined;
}

/** The agents of a pod, patches of its annotations applied. */
export function buildAgents(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  caCertBytes: string,
): Agents {
  const { init, sidecar } = agentsOf(options);
  const kinds = [...(init ? [true] : []), ...(sidecar ? [false] : [])];
  const fromConfigMap = annotations.text('agent-configmap') !== '' || kinds.length === 0;
  const config = fromConfigMap ? undefined : agentConfig(options, annotations);
  const configs = new Map(config === undefined ? [] : kinds.map((kind) => [kind, config(kind)]));
  const projected = projectedConfig(configs, options.configMap);
  const build = (init: boolean): AgentContainer => {
    const file = projected === undefined ? undefined : configFile(projected, init);
    return agentContainer(pod, options, annotations, { init, config: configs.get(init), file, caCertBytes });
  };
  if (options.nativeSidecar) return { initAgent: build(false), sidecar: undefined, projected };
  return {
    initAgent: init ? build(true) : undefined,
    sidecar: sidecar ? build(false) : undefined,
    projected,
  };
}

/** A native sidecar is one agent, configured as a sidecar. */
function agentsOf(options: AgentOptions): { readonly init: boolean; readonly sidecar: boolean } {
  if (options.nativeSidecar) return { init: false, sidecar: true };
  return { init: options.prePopulate, sidecar: !options.prePopulateOnly };
}

function addInitAgent(
  pod: Pod,
  options: AgentOptions,
  agent: AgentContainer,
  mounts: readonly Mount[],
): PatchOperation[] {
  const first = options.initFirst && pod.initContainers.length > 0;
  const share = options.shareProcessNamespace;
  return [
    ...(first
      ? [add('/spec/initContainers/0', agent)]
      : append('/spec/initContainers', pod.initContainers.length, [agent])),
    ...pod.initContainers.flatMap((container, i) =>
      addMounts(container, `/spec/initContainers/${first ? i + 1 : i}`, mounts),
    ),
    ...(share === undefined ? [] : [add('/spec/shareProcessNamespace', share)]),
  ];
}

function addMounts(container: Container, path: string, mounts: readonly Mount[]): PatchOperation[] {
  for (const { mountPath } of mounts) {
    if (container.volumeMounts.some((mount) => mount.mountPath === mountPath)) {
      throw refusal(`container "${container.name}" already mounts something at ${mountPath}`);
    }
  }
  return append(`${path}/volumeMounts`, container.volumeMounts.length, mounts);
}

/** Appends to a list that has `length` elements; a list that may be absent is created by the first. */
function append(path: string, length: number, items: readonly unknown[]): PatchOperation[] {
  return items.map((item, i) => (length === 0 && i === 0 ? add(path, [item]) : add(`${path}/-`, item)));
}

function annotate(name: string, value: string): PatchOperation {
  return add(`/metadata/annotations/${escapePointer(name)}`, value);
}

function add(path: string, value: unknown): PatchOperation {
  return { op: 'add', path, value };
}

/** The API server would refuse the duplicate too, but without saying where it comes from. */
function refuseTakenNames(
  pod: Pod,
  volumes: readonly NamedVolume[],
  agents: readonly (AgentContainer | undefined)[],
): void {
  const volume = volumes.find(({ name }) => pod.volumes.some((other) => other.name === name));
  if (volume !== undefined) throw refusal(`the pod already has a volume named "${volume.name}"`);
  const all = [...pod.initContainers, ...pod.containers];
  const agent = agents.find((candidate) => all.some((other) => other.name === candidate?.name));
  if (agent !== undefined) throw refusal(`the pod already has a container named "${agent.name}"`);
}
