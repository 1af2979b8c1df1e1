import { AuditMetrics } from '../insight/audit-metrics.ts';
import { followAudit } from '../insight/follow-audit.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import { minutes } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { apply } from '../mesh/apply.ts';
import { type DesiredParts, desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import type { PlannedResource } from '../mesh/plan.ts';
import type { Mesh } from '../mesh/schema.ts';
import { type Reaper, startReaper } from '../sandbox/kubelet/reaper.ts';
import { type MetricsEndpoint, serveMetrics } from '../server/metrics-endpoint.ts';
import { type ClusterHost, startClusterHost } from './cluster-host.ts';
import { environmentText } from './environment-file.ts';
import { deployWorkloads, meshCluster, type PortsByAccount } from './mesh-cluster.ts';
import { meshFileText } from './mesh-file.ts';
import type { UpOptions } from './options.ts';
import { Ports } from './ports.ts';
import { programEnvironment, programOf } from './programs.ts';
import { startRealEtcd } from './real-etcd.ts';
import { shortestPath } from './shortest-path.ts';
import { type StateFolder, takeStateFolder } from './state-folder.ts';
import type { Steps } from './steps.ts';
import { Store } from './store.ts';
import type { RunningCluster, RunningSystem } from './system.ts';

/** A running system and the way to end it. */
export interface Up {
  readonly system: RunningSystem;
  readonly folder: StateFolder;
  /** Ends every process; the folder stays when it was asked to. */
  stop(): Promise<void>;
}

export interface UpContext {
  readonly steps: Steps;
  readonly signal: AbortSignal;
  readonly parts: DesiredParts;
}

/** What has been started so far, in order; ended in reverse whatever happens. */
class Started {
  readonly #endings: (() => Promise<void> | void)[] = [];

  add(ending: () => Promise<void> | void): void {
    this.#endings.push(ending);
  }

  async endAll(): Promise<void> {
    for (const ending of this.#endings.splice(0).reverse()) await ending();
  }
}

/**
 * Brings the whole system up: store, clusters, injectors, istiods, workloads.
 * @throws MeshrootError with nothing left running
 */
export async function startUp(options: UpOptions, context: UpContext): Promise<Up> {
  const started = new Started();
  const folder = await takeStateFolder(options.dir);
  started.add(() => folder.release({ remove: !options.keepDir }));
  try {
    const system = await bringUp(options, context, folder, started);
    return { system, folder, stop: () => started.endAll() };
  } catch (error) {
    await started.endAll();
    throw error;
  }
}

async function bringUp(
  options: UpOptions,
  context: UpContext,
  folder: StateFolder,
  started: Started,
): Promise<RunningSystem> {
  const { steps, signal } = context;
  const reaper = startReaper();
  started.add(() => reaper.close());
  const ports = new Ports(options.portBase);
  const store = new Store({
    folder,
    port: await ports.take(),
    program: programOf('vault', options.with),
    env: programEnvironment(folder.path),
    registry: reaper,
    clock: systemClock,
  });
  started.add(() => store.stop());
  const hosts = await startHosts(options, { folder, ports, reaper, context, started });
  await steps.step(
    'store',
    () => store.start(),
    () => ['ready, encrypted, unsealed', store.address],
  );
  signal.throwIfAborted();
  const mesh = await writeMesh(options, folder, store, hosts);
  const { url: metricsUrl } = await observeAudit(store, started);
  await applyMesh(mesh, store, hosts, context);
  const clusters = await bringUpMesh(hosts, mesh, ports, context);
  await folder.markReady();
  const meshFile = folder.file('mesh.yaml');
  return { clock: systemClock, mesh, meshFile, store, clusters, metricsUrl, patience: minutes(1) };
}

interface Place {
  readonly folder: StateFolder;
  readonly ports: Ports;
  readonly reaper: Reaper;
  readonly context: UpContext;
  readonly started: Started;
}

async function startHosts(
  options: UpOptions,
  { folder, ports, reaper, context, started }: Place,
): Promise<ClusterHost[]> {
  const hosts: ClusterHost[] = [];
  const etcdUrl = await startEtcdWhereAsked(options, { folder, ports, reaper, context, started });
  for (let i = 1; i <= options.clusters; i++) {
    const name = `cluster${i}`;
    const start = () => startClusterHost({ name, folder, ports, reaper, with: options.with, etcdUrl });
    const host = await context.steps.step(name, start, ({ kubeconfig }) => [
      'api server, controllers, node',
      `kubectl --kubeconfig ${shortestPath(kubeconfig)}`,
    ]);
    started.add(() => host.close());
    hosts.push(host);
    context.signal.throwIfAborted();
  }
  return hosts;
}

async function startEtcdWhereAsked(
  options: UpOptions,
  { folder, ports, reaper, context, started }: Place,
): Promise<string | undefined> {
  const program = options.with.get('etcd');
  if (program === undefined) return undefined;
  const start = async () =>
    startRealEtcd({
      program,
      dir: folder.file('etcd'),
      ports: [await ports.take(), await ports.take()],
      registry: reaper,
      env: programEnvironment(folder.path),
      clock: systemClock,
    });
  const etcd = await context.steps.step('etcd', start, ({ url }) => ['ready', url]);
  started.add(() => etcd.stop());
  return etcd.url;
}

/** Workloads are created at once and wait for their istiod; then everything has to get ready. */
async function bringUpMesh(
  hosts: readonly ClusterHost[],
  mesh: Mesh,
  ports: Ports,
  { steps, signal }: UpContext,
): Promise<RunningCluster[]> {
  const taken: PortsByAccount[] = [];
  for (const host of hosts) taken.push(await deployWorkloads(host, mesh, ports));
  return await steps.step(
    'mesh up',
    () =>
      Promise.all(hosts.map((host, i) => meshCluster(host, mesh, taken[i] ?? new Map(), { steps, signal }))),
    (clusters) => [
      `${clusters.length} istiods injected, ${clusters.flatMap((c) => c.workloads).length} workloads certified`,
    ],
  );
}

async function writeMesh(
  options: UpOptions,
  folder: StateFolder,
  store: Store,
  hosts: readonly ClusterHost[],
): Promise<Mesh> {
  const kubeconfigs = hosts.map(({ kubeconfig }) => kubeconfig);
  const { address: vaultAddress, tokenFile } = store;
  await writeFileAtomic(folder.file('env.sh'), environmentText({ vaultAddress, tokenFile, kubeconfigs }));
  await writeFileAtomic(folder.file('mesh.yaml'), meshFileText(options, vaultAddress, hosts), 0o644);
  return loadMesh(folder.file('mesh.yaml'));
}

/** Follows the audit log from its first line and serves what it shows. */
async function observeAudit(store: Store, started: Started): Promise<MetricsEndpoint> {
  const metrics = new AuditMetrics();
  const endpoint = await serveMetrics(metrics.registry, '127.0.0.1:0');
  const stop = new AbortController();
  const following = followAudit(store.auditLog, metrics, () => {}, {
    clock: systemClock,
    signal: stop.signal,
  });
  started.add(async () => {
    stop.abort();
    await endpoint.close();
    await following;
  });
  return endpoint;
}

async function applyMesh(
  mesh: Mesh,
  store: Store,
  hosts: readonly ClusterHost[],
  { steps, parts }: UpContext,
): Promise<void> {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const reach = {
    vault: store.client,
    clock: systemClock,
    kube: async (name: string) => {
      const host = byName.get(name);
      if (host === undefined) throw new MeshrootError('unknown-cluster', `there is no cluster ${name}`);
      return host.kube;
    },
  };
  let written = 0;
  const done = ({ resource, decision }: PlannedResource, milliseconds: number) => {
    if (decision.kind === 'keep') return;
    written++;
    const [kind] = resource.label.split(' ');
    if (kind === 'root') steps.did('root', resource.summary, milliseconds);
    if (kind === 'intermediate')
      steps.did(resource.group, `intermediate ${resource.summary}, read back`, milliseconds);
  };
  await steps.step(
    'mesh',
    () => apply(desired(mesh, parts), reach, { adopt: false, progress: { done } }),
    () => [
      `logins, policies, roles, injectors, istiods: ${written} written`,
      'meshroot plan shows what differs',
    ],
  );
}
