import type { Annotations } from './annotations.ts';
import { quote } from './go-values.ts';
import type { Pod } from './pod.ts';
import { refusal } from './refusal.ts';

/** The volume whose token the agents log in with. */
export interface TokenVolume {
  readonly name: string;
  readonly mountPath: string;
  /** File below the mount. */
  readonly tokenPath: string;
}

/** Where a token volume is mounted in the agents when no container of the pod mounts it. */
const ownMountPath = '/var/run/secrets/vault.hashicorp.com/serviceaccount';

/** The named volume, else the first mount of a container that looks like a service account's. */
export function findTokenVolume(pod: Pod, annotations: Annotations): TokenVolume {
  const name = annotations.text('agent-service-account-token-volume-name');
  const mounts = pod.containers.flatMap((container) => container.volumeMounts);
  if (name !== '') return namedVolume(pod, name, mounts.find((mount) => mount.name === name)?.mountPath);
  const usual = mounts.find((mount) => mount.mountPath.includes('serviceaccount'));
  if (usual === undefined) throw refusal('failed to find service account volume mount');
  return { name: usual.name, mountPath: usual.mountPath, tokenPath: 'token' };
}

function namedVolume(pod: Pod, name: string, mountPath: string | undefined): TokenVolume {
  const volume = pod.volumes.find((candidate) => candidate.name === name);
  if (volume === undefined) {
    if (mountPath === undefined) throw refusal(`failed to find service account volume ${quote(name)}`);
    throw refusal(`failed to find volume ${quote(name)} in Pod ${quote(pod.name)} volumes`);
  }
  if (volume.tokenPath === undefined)
    throw refusal(`failed to find tokenPath for projected volume ${quote(name)}`);
  return { name, mountPath: mountPath ?? ownMountPath, tokenPath: volume.tokenPath };
}
