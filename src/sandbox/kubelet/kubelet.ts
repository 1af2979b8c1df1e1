import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeApi } from '../../kube/api.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { type Logger, silentLogger } from '../../lib/log.ts';
import { type BackoffOptions, kubeletBackoff } from './backoff.ts';
import { type ImageProgram, imageTable, writeTools } from './images.ts';
import { type Client, type KubeletTls, startLogServer } from './log-server.ts';
import { heartbeat, registerNode } from './node-agent.ts';
import type { NodeContext } from './node-context.ts';
import { Pods } from './pods.ts';
import { type Reaper, startReaper } from './reaper.ts';
import { schedule } from './scheduler.ts';
import { shellSafeFolder } from './shell-safe-folder.ts';
import { apiValues } from './volume-payload.ts';

export interface KubeletOptions {
  readonly kube: KubeApi;
  readonly nodeName: string;
  /** Pods, their volumes and logs live here. */
  readonly dir: string;
  readonly images?: readonly ImageProgram[] | undefined;
  /** Without it there is no log server. */
  readonly tls?: KubeletTls | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** Shared by several kubelets of one process; made, and closed by stop(), when absent. */
  readonly reaper?: Reaper | undefined;
  /** Bind pods that have no node; true unless told otherwise. */
  readonly schedule?: boolean | undefined;
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /** How often ConfigMaps and Secrets in volumes are looked at again, ms. */
  readonly refreshEvery?: number | undefined;
  /** Folders of the host that pods are told about by their own names. */
  readonly hostPaths?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface Kubelet {
  /** Of the log server, 0 without one. */
  readonly port: number;
  /** Ends every pod's processes (SIGKILL after `graceMs`, 5 s), then everything else. Objects stay in the API. */
  stop(graceMs?: number): Promise<void>;
  /** Folder of a pod that is here. */
  podDir(namespace: string, pod: string): string | undefined;
  /** Where a path of a container (a mount, or below one) is on this machine. */
  hostPath(namespace: string, pod: string, container: string, path: string): string | undefined;
}

/** Starts a node that runs pods as processes. Resolves when the node is registered and all its pods are known. */
export async function start(options: KubeletOptions): Promise<Kubelet> {
  const node = await contextOf(options);
  const pods = new Pods(node);
  const stop = new AbortController();
  const { tls } = options;
  const server = tls && (await serveLogs(node, tls, pods));
  const { kube, clock, logger, nodeName } = node;
  const agent = { kube, clock, logger, nodeName, port: server?.port ?? 0 };
  await registerNode(agent);
  const background = [heartbeat(agent, stop.signal)];
  if (options.schedule !== false) background.push(schedule(agent, stop.signal));
  await follow(node, pods, stop.signal, background);
  return {
    port: server?.port ?? 0,
    podDir: (namespace, name) => pods.find(namespace, name)?.folder.path,
    hostPath: (namespace, name, container, path) => pods.find(namespace, name)?.hostPath(container, path),
    stop: async (graceMs = 5000) => {
      stop.abort();
      await Promise.allSettled(background);
      await pods.stopAll(graceMs);
      await server?.close();
      if (options.reaper === undefined) await node.reaper.close();
    },
  };
}

async function contextOf(options: KubeletOptions): Promise<NodeContext> {
  const { kube, nodeName } = options;
  const images = options.images ?? imageTable();
  const root = await shellSafeFolder(options.dir);
  const toolDir = (program: ImageProgram): string => join(root, 'tools', String(images.indexOf(program)));
  await rm(join(root, 'pods'), { recursive: true, force: true }); // of a run that was cut off
  await Promise.all(images.map((program) => writeTools(toolDir(program), program)));
  const { hostname, port, protocol } = new URL(kube.server);
  const authority = await kube.authority();
  return {
    nodeName,
    kube,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    reaper: options.reaper ?? startReaper(),
    values: apiValues(kube),
    root,
    images,
    toolDir,
    hostPaths: options.hostPaths ?? [],
    parentEnv: options.env ?? process.env,
    backoff: { ...kubeletBackoff, ...options.backoff },
    refreshEvery: options.refreshEvery ?? 10_000,
    apiServer: { host: hostname, port: port || (protocol === 'http:' ? '80' : '443'), authority },
  };
}

/** Watches this node's pods; resolves after the first list. */
function follow(
  node: NodeContext,
  pods: Pods,
  signal: AbortSignal,
  background: Promise<void>[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const watching = node.kube.watch(
      { apiVersion: 'v1', kind: 'Pod' },
      {
        fieldSelector: `spec.nodeName=${node.nodeName}`,
        onProblem: (error) => node.logger.warn('watch of pods', { why: messageOf(error) }),
      },
      (event) => (event.type === 'SYNCED' ? resolve() : pods.onEvent(event)),
      signal,
    );
    background.push(watching);
    watching.catch(reject);
  });
}

async function serveLogs(
  node: NodeContext,
  tls: KubeletTls,
  pods: Pods,
): Promise<{ port: number; close(): Promise<void> }> {
  return await startLogServer({
    tls,
    clock: node.clock,
    find: (namespace, pod, container, previous) => pods.log(namespace, pod, container, previous),
    authorize: (client) => mayReadLogs(node.kube, client),
  });
}

/** A real kubelet asks the API server whether its client may `get nodes/proxy`. */
async function mayReadLogs(kube: KubeApi, { user, groups }: Client): Promise<boolean> {
  if (groups.includes('system:masters')) return true;
  const resourceAttributes = { verb: 'get', resource: 'nodes', subresource: 'proxy' };
  return (await kube.subjectAccessReview({ user, groups, resourceAttributes })).allowed;
}
