import type { KubeObject } from '../../kube/api.ts';
import { MeshrootError } from '../../lib/errors.ts';

/** The fields of a Pod that this kubelet reads; everything else is ignored. Names and meaning: core/v1. */

export interface KeyRef {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface FieldRef {
  readonly fieldPath: string;
}

export interface ResourceFieldRef {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor?: string;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: FieldRef;
    readonly resourceFieldRef?: ResourceFieldRef;
    readonly configMapKeyRef?: KeyRef;
    readonly secretKeyRef?: KeyRef;
  };
}

export interface EnvFrom {
  readonly prefix?: string;
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name: string; readonly optional?: boolean };
}

export interface ExecAction {
  readonly command?: readonly string[];
}

export interface Probe {
  readonly exec?: ExecAction;
  readonly httpGet?: {
    readonly path?: string;
    readonly port: number | string;
    readonly host?: string;
    readonly scheme?: string;
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  readonly grpc?: { readonly port: number };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFrom[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
  };
  /** Of an init container: `Always` makes it a sidecar. */
  readonly restartPolicy?: string;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: {
    readonly preStop?: { readonly exec?: ExecAction };
    readonly postStart?: { readonly exec?: ExecAction };
  };
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

export interface ConfigMapSource {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly defaultMode?: number;
}

export interface SecretSource {
  /** `secretName` in a volume, `name` in a projection. */
  readonly secretName?: string;
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly defaultMode?: number;
}

export interface DownwardSource {
  readonly items?: readonly {
    readonly path: string;
    readonly fieldRef?: FieldRef;
    readonly resourceFieldRef?: ResourceFieldRef;
    readonly mode?: number;
  }[];
  readonly defaultMode?: number;
}

export interface TokenSource {
  readonly audience?: string;
  readonly expirationSeconds?: number;
  readonly path: string;
}

export interface Projection {
  readonly serviceAccountToken?: TokenSource;
  readonly configMap?: ConfigMapSource;
  readonly secret?: SecretSource;
  readonly downwardAPI?: DownwardSource;
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string };
  readonly hostPath?: { readonly path: string; readonly type?: string };
  readonly configMap?: ConfigMapSource;
  readonly secret?: SecretSource;
  readonly downwardAPI?: DownwardSource;
  readonly projected?: { readonly sources?: readonly Projection[]; readonly defaultMode?: number };
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export interface PodSpec {
  readonly nodeName?: string;
  readonly schedulerName?: string;
  readonly serviceAccountName?: string;
  readonly restartPolicy?: RestartPolicy;
  readonly terminationGracePeriodSeconds?: number;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface Pod extends KubeObject {
  metadata: KubeObject['metadata'] & { uid: string; namespace: string };
  spec: PodSpec;
  status?: {
    readonly qosClass?: string;
    readonly phase?: string;
    readonly conditions?: readonly PodCondition[];
    readonly startTime?: string;
  };
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

/**
 * `object` as a pod. The API server has validated it; what would make us crash is looked at again.
 * @throws MeshrootError `bad-pod`
 */
export function asPod(object: KubeObject): Pod {
  const { uid, namespace, name } = object.metadata;
  const spec = object.spec;
  if (uid === undefined || namespace === undefined || !isPodSpec(spec)) {
    throw new MeshrootError('bad-pod', `pod ${namespace ?? ''}/${name} cannot be read`);
  }
  return { ...object, metadata: { ...object.metadata, uid, namespace }, spec } as Pod;
}

function isPodSpec(spec: unknown): spec is PodSpec {
  if (typeof spec !== 'object' || spec === null || !('containers' in spec)) return false;
  const init = 'initContainers' in spec ? (spec.initContainers ?? []) : [];
  return [spec.containers, init].every((list) => Array.isArray(list) && list.every(isContainer));
}

function isContainer(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value.name)
  );
}

/** An init container that keeps running beside the others (Kubernetes >= 1.29). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
