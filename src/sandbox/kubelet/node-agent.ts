import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { KubeApi, KubeObject } from '../../kube/api.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { podIp } from './field-values.ts';

export interface NodeAgentOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Of the log server; 0 when there is none. */
  readonly port: number;
}

/** Seconds that a lease lasts, and the pause between two heartbeats (a real kubelet: 40 and 10). */
const lease = { seconds: 40, every: 10_000 };
const leaseNamespace = 'kube-node-lease';

/** Creates the Node or brings its status up to date. */
export async function registerNode(options: NodeAgentOptions): Promise<void> {
  const { kube, nodeName } = options;
  await createUnlessThere(kube, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': platform(),
        'kubernetes.io/arch': goArch(),
        'meshroot.dev/process-node': 'true',
      },
    },
    spec: {},
  });
  const ref = { apiVersion: 'v1', kind: 'Node', name: nodeName };
  await kube.patch(ref, { status: nodeStatus(options) }, 'merge', { subresource: 'status' });
}

function nodeStatus({ clock, nodeName, port }: NodeAgentOptions): object {
  const now = isoSeconds(clock.now());
  const amounts = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '110' };
  return {
    capacity: amounts,
    allocatable: amounts,
    addresses: [
      { type: 'InternalIP', address: podIp },
      { type: 'Hostname', address: nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'pods run as processes of this machine',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    nodeInfo: {
      architecture: goArch(),
      bootID: '',
      containerRuntimeVersion: 'process://1',
      kernelVersion: release(),
      kubeProxyVersion: '',
      kubeletVersion: 'v1.34.0-meshroot',
      machineID: '',
      operatingSystem: platform(),
      osImage: platform(),
      systemUUID: '',
    },
  };
}

/** Renews the node's Lease until aborted. */
export async function heartbeat(options: NodeAgentOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  while (!signal.aborted) {
    await renewLease(options).catch((error: unknown) => {
      if (!signal.aborted) logger.warn('heartbeat failed', { node: options.nodeName, why: messageOf(error) });
    });
    await clock.sleep(lease.every, signal).catch(() => {});
  }
}

async function renewLease({ kube, clock, nodeName }: NodeAgentOptions): Promise<void> {
  const spec = {
    holderIdentity: nodeName,
    leaseDurationSeconds: lease.seconds,
    renewTime: new Date(clock.now()).toISOString().replace('Z', '000Z'), // MicroTime
  };
  const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const metadata = { name: nodeName, namespace: leaseNamespace };
  try {
    await kube.patch({ ...type, ...metadata }, { spec }, 'merge');
  } catch (error) {
    if (codeOf(error) !== 'kube-not-found') throw error;
    await createUnlessThere(kube, { ...type, metadata, spec });
  }
}

async function createUnlessThere(kube: KubeApi, object: KubeObject): Promise<void> {
  try {
    await kube.create(object);
  } catch (error) {
    if (codeOf(error) !== 'kube-already-exists') throw error;
  }
}

function goArch(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
