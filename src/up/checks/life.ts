import { readRoot } from '../../mesh/kinds/root.ts';
import { bundleKvPath } from '../../mesh/names.ts';
import { rotateIntermediate } from '../../mesh/rotate-intermediate.ts';
import { readBundle } from '../../rotation/kv-bundle.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { type RunningSystem, vaultOf } from '../system.ts';
import type { Workload, WorkloadStats } from '../workloads.ts';
import { istiodUsesInjectedBundle } from './bundle.ts';
import { must, type SystemCheck } from './check.ts';
import { peerOf } from './handshakes.ts';

export const restartKeepsRoot: SystemCheck = {
  name: 'restart-keeps-root',
  run: async (system) => {
    const before = await fingerprints(system);
    const { sealedBetween } = await system.store.crashAndRestart();
    must(sealedBetween, 'the store was open right after its start: it must come up sealed');
    const after = await fingerprints(system);
    must(
      before.join() === after.join(),
      'root or bundles differ after the store was killed and started again',
    );
    const [first] = system.clusters;
    must(first !== undefined, 'there is no cluster');
    await first.restartIstiod(AbortSignal.timeout(system.patience));
    await istiodUsesInjectedBundle.run({ ...system, clusters: [first] });
    return `store killed, started, unsealed; a new istiod of ${first.name} got the same intermediate under the same root`;
  },
};

/** Of the root and of every cluster's intermediate, as Vault holds them. */
async function fingerprints(system: RunningSystem): Promise<string[]> {
  const vault = vaultOf(system);
  const root = await readRoot({ vault }, system.mesh.root.mount);
  must(root !== undefined, 'Vault holds no root');
  const bundles = await Promise.all(
    system.clusters.map((cluster) => readBundle(vault, bundleKvPath(cluster))),
  );
  return [
    root.fingerprint,
    ...bundles.map((bundle) => (bundle ? parseCertificate(bundle.caCert).fingerprint : 'none')),
  ];
}

/** Handshakes between the same two workloads come this often while a rotation runs, milliseconds. */
const shakeEvery = 20;

export const rotationKeepsHandshakes: SystemCheck = {
  name: 'rotation-keeps-handshakes',
  run: async (system) => {
    const [cluster] = system.clusters;
    must(cluster !== undefined, 'there is no cluster');
    const all = system.clusters.flatMap(({ workloads }) => workloads);
    await shakeOn(all, all);
    try {
      const { newSerial = '' } = await rotate(system, cluster.name);
      await Promise.all(cluster.workloads.map((w) => renewed(system, w, newSerial)));
      const stats = await freshHandshakes(system, all);
      const failed = stats.reduce((sum, { failed: n }) => sum + n, 0);
      const ok = stats.reduce((sum, { ok: n }) => sum + n, 0);
      must(
        failed === 0,
        `${failed} of ${ok + failed} handshakes failed: ${stats.find((s) => s.lastError)?.lastError}`,
      );
      return `${cluster.name} got intermediate ${newSerial.slice(0, 8)}…, ${ok} handshakes meanwhile, none failed`;
    } finally {
      await shakeOn(all, []);
    }
  },
};

async function shakeOn(from: readonly Workload[], to: readonly Workload[]): Promise<void> {
  await Promise.all(
    from.map((w) => w.control.keepShaking(to.filter((peer) => peer !== w).map(peerOf), shakeEvery)),
  );
}

async function rotate(system: RunningSystem, cluster: string) {
  const kubes = new Map(system.clusters.map(({ name, kube }) => [name, kube]));
  const reach = {
    vault: vaultOf(system),
    clock: system.clock,
    kube: async (name: string) => {
      const kube = kubes.get(name);
      must(kube !== undefined, `there is no cluster ${name}`);
      return kube;
    },
  };
  const signal = AbortSignal.timeout(system.patience);
  return rotateIntermediate(system.mesh, cluster, reach, { signal, restart: false, report: () => {} });
}

/** The workload fetches a certificate and gets it from the new intermediate. */
async function renewed(
  system: RunningSystem,
  { control, spiffeId, cluster }: Workload,
  serial: string,
): Promise<void> {
  const until = system.clock.now() + system.patience;
  for (;;) {
    await control.renew();
    const { issuerSerial } = await control.stats();
    if (issuerSerial === serial) return;
    must(
      system.clock.now() < until,
      `${spiffeId} of ${cluster} still gets certificates from ${issuerSerial}, not ${serial}`,
    );
    await system.clock.sleep(100);
  }
}

/** Waits until every workload has shaken hands with the new certificates in place, then counts. */
async function freshHandshakes(system: RunningSystem, all: readonly Workload[]): Promise<WorkloadStats[]> {
  const before = await Promise.all(all.map((w) => w.control.stats()));
  const until = system.clock.now() + system.patience;
  for (;;) {
    const now = await Promise.all(all.map((w) => w.control.stats()));
    const peers = all.length - 1;
    if (now.every(({ ok, failed }, i) => failed > 0 || ok >= (before[i]?.ok ?? 0) + 2 * peers)) return now;
    must(system.clock.now() < until, 'workloads stopped shaking hands');
    await system.clock.sleep(50);
  }
}
