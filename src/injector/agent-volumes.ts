import type { AgentOptions } from './agent-options.ts';
import type { Annotations } from './annotations.ts';
import type { Pod } from './pod.ts';
import type { Mount, NamedVolume } from './volume.ts';

/** Volumes that the pod gets, in the order of the patch. */
export function agentVolumes(options: AgentOptions, annotations: Annotations): NamedVolume[] {
  const { prePopulate, prePopulateOnly, cachePersist, nativeSidecar, tmpfsSizeLimit } = options;
  const limit = tmpfsSizeLimit === '' ? {} : { sizeLimit: tmpfsSizeLimit };
  const inMemory = (name: string): NamedVolume => ({ name, emptyDir: { medium: 'Memory', ...limit } });
  const configMap = annotations.text('agent-configmap');
  const extra = annotations.text('agent-extra-secret');
  const tls = annotations.text('tls-secret');
  return [
    ...(prePopulate && !nativeSidecar ? [inMemory('home-init')] : []),
    ...(prePopulateOnly ? [] : [inMemory('home-sidecar')]),
    ...secretMounts(options, annotations).map(({ name }) => inMemory(name)),
    ...(configMap === '' ? [] : [{ name: 'vault-config', configMap: { name: configMap } }]),
    ...(extra === '' ? [] : [{ name: 'extra-secrets', secret: { secretName: extra } }]),
    ...(tls === '' ? [] : [{ name: 'vault-tls-secrets', secret: { secretName: tls } }]),
    ...(cachePersist ? [inMemory('vault-agent-cache')] : []),
  ];
}

/** The mounts that the agents, the init containers and the chosen containers share: one per distinct path. */
export function secretMounts(options: AgentOptions, annotations: Annotations): Mount[] {
  const usual = annotations.text('secret-volume-path');
  const others = new Set(options.secrets.map((secret) => secret.mountPath).filter((path) => path !== usual));
  return [
    { name: 'vault-secrets', mountPath: usual },
    ...[...others].map((mountPath, i) => ({ name: `vault-secrets-custom-${i}`, mountPath })),
  ];
}

/** The mounts of an agent itself. */
export function agentMounts(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  init: boolean,
): Mount[] {
  const home: Mount = { name: init ? 'home-init' : 'home-sidecar', mountPath: '/home/vault' };
  const { name, mountPath } = options.tokenVolume;
  const token: Mount = { name, mountPath, readOnly: true };
  return [
    ...(init ? [home, token] : [token, home]),
    ...awsMounts(pod, annotations),
    ...secretMounts(options, annotations),
    ...readOnly(annotations.text('agent-extra-secret') !== '', 'extra-secrets', '/vault/custom'),
    ...copiedMounts(pod, annotations.text('agent-copy-volume-mounts')),
    ...readOnly(annotations.text('agent-configmap') !== '', 'vault-config', '/vault/configs'),
    ...readOnly(annotations.text('tls-secret') !== '', 'vault-tls-secrets', '/vault/tls'),
    ...(options.cachePersist ? [{ name: 'vault-agent-cache', mountPath: '/vault/agent-cache' }] : []),
  ];
}

function readOnly(wanted: boolean, name: string, mountPath: string): Mount[] {
  return wanted ? [{ name, mountPath, readOnly: true }] : [];
}

/** The web identity token that EKS mounts (IRSA), where the agents log in to Vault with it. */
function awsMounts(pod: Pod, annotations: Annotations): Mount[] {
  if (annotations.text('auth-type') !== 'aws') return [];
  const mounts = pod.containers.flatMap((container) => container.volumeMounts);
  const found = mounts.find((mount) => mount.mountPath.includes('eks.amazonaws.com'));
  return found === undefined ? [] : [{ name: found.name, mountPath: found.mountPath, readOnly: true }];
}

/** The members of a Kubernetes volume mount; anything else is not carried over. */
const mountMembers = [
  'name',
  'readOnly',
  'recursiveReadOnly',
  'mountPath',
  'subPath',
  'mountPropagation',
  'subPathExpr',
];

function copiedMounts(pod: Pod, from: string): Mount[] {
  if (from === '') return [];
  return [...pod.containers, ...pod.initContainers]
    .filter((container) => container.name === from)
    .flatMap((container) => container.volumeMounts)
    .filter((mount) => !mount.mountPath.toLowerCase().includes('serviceaccount'))
    .map(({ name, mountPath, raw }) => {
      const kept = mountMembers.filter(
        (key) => raw[key] !== undefined && raw[key] !== false && raw[key] !== '',
      );
      return { ...Object.fromEntries(kept.map((key) => [key, raw[key]])), name, mountPath };
    });
}
