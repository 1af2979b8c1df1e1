import { escapePointer, type PatchOperation } from '../lib/json-patch.ts';
import { type AgentConfig, agentConfig } from './agent-config.ts';
import { type AgentContainer, agentContainer } from './agent-container.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentVolumes, type Mount, type NamedVolume, secretMounts } from './agent-volumes.ts';
import { type Annotations, vaultPrefix } from './annotations.ts';
import type { Container, Pod } from './pod.ts';
import { refusal } from './refusal.ts';

/**
 * What makes the pod an injected one. Only additions, so nothing of the pod is rewritten: the init agent goes in
 * front by `add /spec/initContainers/0` where vault-k8s removes and re-adds the others.
 */
export function podPatch(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  { initAgent, sidecar }: Agents,
): PatchOperation[] {
  const volumes = agentVolumes(options, annotations);
  const mounts = secretMounts(options, annotations);
  refuseTakenNames(pod, volumes, [initAgent, sidecar]);
  return [
    ...append('/spec/volumes', pod.volumes.length, volumes),
    ...pod.containers.flatMap((container, i) =>
      options.containers.has(container.name) ? addMounts(container, `/spec/containers/${i}`, mounts) : [],
    ),
    ...(initAgent === undefined ? [] : addInitAgent(pod, options, initAgent, mounts)),
    ...(sidecar === undefined ? [] : append('/spec/containers', pod.containers.length, [sidecar])),
    add(`/metadata/annotations/${escapePointer(`${vaultPrefix}agent-inject-status`)}`, 'injected'),
  ];
}

export interface Agents {
  /** Among the init containers: one that ends, or a native sidecar. */
  readonly initAgent: AgentContainer | undefined;
  readonly sidecar: AgentContainer | undefined;
}

/** The agents of a pod, patches of its annotations applied. */
export function buildAgents(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  caCertBytes: string,
): Agents {
  const fromConfigMap = annotations.text('agent-configmap') !== '';
  let made: AgentConfig | undefined;
  const config = fromConfigMap
    ? undefined
    : (init: boolean) => {
        made ??= agentConfig(options, annotations);
        return made(init);
      };
  const build = (init: boolean): AgentContainer =>
    agentContainer(pod, options, annotations, { init, config, caCertBytes });
  if (options.nativeSidecar) return { initAgent: build(false), sidecar: undefined };
  return {
    initAgent: options.prePopulate ? build(true) : undefined,
    sidecar: options.prePopulateOnly ? undefined : build(false),
  };
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
