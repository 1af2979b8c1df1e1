import { messageOf } from '../lib/errors.ts';
import { applyPatch, type PatchOperation } from '../lib/json-patch.ts';
import { tokenFile } from './agent-config.ts';
import { type AgentKind, agentEnvironment, type EnvVar } from './agent-environment.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentMounts } from './agent-volumes.ts';
import type { Annotations } from './annotations.ts';
import type { Pod } from './pod.ts';
import { type ConfigFile, configFileMount } from './projected-config.ts';
import { canonicalQuantity } from './quantity.ts';
import { refusal } from './refusal.ts';
import { startupProbe } from './startup-probe.ts';

export interface AgentContainer {
  readonly name: string;
  readonly [member: string]: unknown;
}

/** The init agent or the sidecar, as it goes into the pod. */
export function agentContainer(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  kind: AgentKind,
): AgentContainer {
  const { init, file } = kind;
  const env = agentEnvironment(pod, options, annotations, kind);
  const container: AgentContainer = {
    name: init ? 'vault-agent-init' : 'vault-agent',
    image: annotations.text('agent-image'),
    command: ['/bin/sh', '-ec'],
    args: [
      file === undefined
        ? script(annotations.text('agent-configmap') !== '', init, env)
        : checkedScript(file),
    ],
    env,
    resources: resources(annotations),
    volumeMounts: [
      ...agentMounts(pod, options, annotations, init),
      ...(file === undefined ? [] : [configFileMount]),
    ],
    ...(init ? {} : { lifecycle: lifecycle(options, annotations) }),
    ...(options.setSecurityContext ? { securityContext: securityContext(options) } : {}),
  };
  if (options.nativeSidecar) Object.assign(container, nativeSidecar(options, annotations));
  const patch = init ? options.initPatch : options.sidecarPatch;
  return patch.length === 0 ? container : patched(container, patch);
}

/** `exec`, so that SIGTERM reaches the agent also where /bin/sh is dash and stays in between. */
function script(fromConfigMap: boolean, init: boolean, env: readonly EnvVar[]): string {
  if (fromConfigMap) {
    return `touch ${tokenFile} && exec vault agent -config=/vault/configs/${init ? 'config-init' : 'config'}.hcl`;
  }
  const parts = env.filter(({ name }) => name === 'VAULT_CONFIG' || name.startsWith('VAULT_CONFIG_'));
  const config = parts.map(({ name }) => `\${${name}?}`).join(''); // the shell stops when one is unset
  return `echo ${config} | base64 -d > /home/vault/config.json && exec vault agent -config=/home/vault/config.json`;
}

/** Who may write ConfigMaps of the namespace must not decide what the agent does: it starts on what was admitted, or not. */
function checkedScript({ path, sha256 }: ConfigFile): string {
  return `echo "${sha256}  ${path}" | sha256sum -c - && exec vault agent -config=${path}`;
}

function resources(annotations: Annotations): Record<string, unknown> {
  const limits = quantities(annotations, 'limits');
  const requests = quantities(annotations, 'requests');
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
  };
}

function quantities(annotations: Annotations, side: 'limits' | 'requests'): Record<string, string> {
  const found: [string, string][] = [
    ['cpu', annotations.text(`agent-${side}-cpu`)],
    ['memory', annotations.text(`agent-${side}-mem`)],
    ['ephemeral-storage', annotations.text(`agent-${side}-ephemeral`)],
  ];
  return Object.fromEntries(
    found.filter(([, text]) => text !== '').map(([name, text]) => [name, canonicalQuantity(text)]),
  );
}

function lifecycle(options: AgentOptions, annotations: Annotations): Record<string, unknown> {
  if (!options.revokeOnShutdown) return {};
  const flags = [
    `-address=${annotations.text('service')}`,
    ...flag('-ca-cert', annotations.text('ca-cert')),
    ...flag('-client-cert', annotations.text('client-cert')),
    ...flag('-client-key', annotations.text('client-key')),
    '-self',
  ];
  const revoke = `/bin/sleep ${options.revokeGrace} && /bin/vault token revoke ${flags.join(' ')}`;
  return { preStop: { exec: { command: ['/bin/sh', '-c', revoke] } } };
}

function flag(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}=${value}`];
}

/** An init container that stays (Kubernetes >= 1.29), waited for where an init agent would have been. */
function nativeSidecar(options: AgentOptions, annotations: Annotations): Record<string, unknown> {
  return {
    restartPolicy: 'Always',
    ...(options.prePopulate ? { startupProbe: startupProbe(options, annotations) } : {}),
  };
}

function securityContext({ runAsUser, runAsGroup, seccompProfile }: AgentOptions): Record<string, unknown> {
  const context = {
    runAsUser,
    runAsGroup,
    runAsNonRoot: runAsUser !== 0 && runAsGroup !== 0,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  };
  return seccompProfile === undefined ? context : { ...context, seccompProfile };
}

/** The members of a Kubernetes container; what a patch adds beyond them is dropped, as a typed client would. */
const containerMembers: Readonly<Record<string, 'string' | 'list' | 'object' | 'boolean'>> =
  Object.fromEntries([
    ...'name image workingDir restartPolicy terminationMessagePath terminationMessagePolicy imagePullPolicy'
      .split(' ')
      .map((name) => [name, 'string']),
    ...'command args ports envFrom env resizePolicy restartPolicyRules volumeMounts volumeDevices'
      .split(' ')
      .map((name) => [name, 'list']),
    ...'resources livenessProbe readinessProbe startupProbe lifecycle securityContext'
      .split(' ')
      .map((name) => [name, 'object']),
    ...'stdin stdinOnce tty'.split(' ').map((name) => [name, 'boolean']),
  ]);

/** vault-k8s's library adds what `replace` does not find (RFC 6902 refuses it), and annotations rely on it. */
function applyLeniently(document: unknown, operation: PatchOperation): unknown {
  try {
    return applyPatch(document, [operation]);
  } catch (error) {
    if (operation.op !== 'replace') throw error;
    return applyPatch(document, [{ ...operation, op: 'add' }]);
  }
}

function patched(container: AgentContainer, patch: AgentOptions['initPatch']): AgentContainer {
  let result: unknown;
  try {
    result = patch.reduce(applyLeniently, container);
  } catch (error) {
    throw refusal(`failed to apply JSON patch: ${messageOf(error)}`);
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw refusal('json: the patched agent is not a container');
  }
  return asContainer(result);
}

function asContainer(patched: object): AgentContainer {
  const members: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patched)) {
    const kind = containerMembers[key];
    if (kind === undefined || value === null) continue;
    const found = Array.isArray(value) ? 'list' : typeof value;
    if (found !== kind) throw refusal(`json: cannot use a ${found} as ${key} of the patched agent (${kind})`);
    members[key] = value;
  }
  return { ...members, name: typeof members.name === 'string' ? members.name : '' };
}
