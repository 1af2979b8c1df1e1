import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { VaultClient } from '../../src/client/vault-client.ts';
import type { KubeApi } from '../../src/kube/api.ts';
import { connect } from '../../src/kube/connect.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startCluster } from '../../src/sandbox/cluster.ts';
import { startReaper } from '../../src/sandbox/kubelet/reaper.ts';
import { Ports } from '../../src/up/ports.ts';
import { meshroot, programEnvironment } from '../../src/up/programs.ts';
import { type ControlPlane, startRealCluster } from '../../src/up/real-cluster.ts';
import { startRealEtcd } from '../../src/up/real-etcd.ts';
import { takeStateFolder } from '../../src/up/state-folder.ts';
import { Store } from '../../src/up/store.ts';
import { runMeshroot } from './meshroot.ts';

/** A Vault and two clusters with nothing of a mesh in them, and the real program to be run against them. */
export interface MeshWorld {
  readonly dir: string;
  readonly vault: VaultClient;
  readonly vaultAddress: string;
  readonly env: Record<string, string>;
  readonly kubes: ReadonlyMap<string, KubeApi>;
  /** Writes mesh.yaml: `more` stands below every cluster, `top` before the clusters. */
  meshFile(name: string, options?: { more?: string; top?: string; vault?: string }): string;
  run(...args: string[]): ReturnType<typeof runMeshroot>;
  stop(): Promise<void>;
}

/** Paths of the real parts; without them everything is ours. */
export interface RealParts {
  readonly bao: string;
  readonly apiserver: string;
  readonly etcd: string;
}

/** The real parts on PATH, or which of them are missing. */
export function realParts(): RealParts | { readonly missing: string[] } {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const find = (...names: string[]) =>
    names.flatMap((name) => folders.map((dir) => join(dir, name))).find((path) => existsSync(path));
  const bao = find('bao', 'vault');
  const apiserver = find('kube-apiserver');
  const etcd = find('etcd');
  const manager = find('kube-controller-manager');
  if (bao && apiserver && etcd && manager) return { bao, apiserver, etcd };
  const all = { 'bao or vault': bao, 'kube-apiserver': apiserver, etcd, 'kube-controller-manager': manager };
  return { missing: Object.entries(all).flatMap(([name, path]) => (path === undefined ? [name] : [])) };
}

export async function startMeshWorld(real?: RealParts): Promise<MeshWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'mesh-world-'));
  const registry = startReaper();
  const folder = await takeStateFolder(join(dir, 'state'));
  const ports = new Ports(0);
  const env = programEnvironment(dir);
  const clock = systemClock;
  const program = real === undefined ? [...meshroot, 'vault', 'server'] : [real.bao, 'server'];
  const store = new Store({ folder, port: await ports.take(), program, registry, clock, env });
  const planes = await startPlanes(real, { dir, registry, ports });
  await store.start();
  const kubes = new Map<string, KubeApi>();
  for (const plane of planes) {
    const kubeconfig = join(dir, `${plane.name}.kubeconfig`);
    writeFileSync(kubeconfig, plane.adminKubeconfig.reveal(), { mode: 0o600 });
    kubes.set(plane.name, await connect({ kubeconfig, env: {} }));
  }
  const token = { VAULT_TOKEN: readFileSync(store.tokenFile, 'utf8').trim() };
  return {
    dir,
    vault: store.client,
    vaultAddress: store.address,
    env: token,
    kubes,
    meshFile: (name, { more = '', top = '', vault = store.address } = {}) => {
      const clusters = planes.map(
        (p) => `  - name: ${p.name}\n    kubeconfig: ${p.name}.kubeconfig\n${more}`,
      );
      const path = join(dir, name);
      const head = `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "${vault}" }\n${top}clusters:\n`;
      writeFileSync(path, head + clusters.join(''));
      return path;
    },
    run: (...args) => runMeshroot(args, { cwd: dir, env: token }),
    stop: async () => {
      for (const kube of kubes.values()) kube.close();
      await store.stop();
      for (const plane of planes) await plane.close();
      await registry.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startPlanes(
  real: RealParts | undefined,
  { dir, registry, ports }: { dir: string; registry: ReturnType<typeof startReaper>; ports: Ports },
): Promise<ControlPlane[]> {
  const names = ['eu', 'us'];
  const clock = systemClock;
  if (real === undefined) return Promise.all(names.map((name) => startCluster({ name, clock })));
  const common = { registry, clock, env: programEnvironment(dir) };
  const etcd = await startRealEtcd({
    ...common,
    program: real.etcd,
    dir: join(dir, 'etcd'),
    ports: [await ports.take(), await ports.take()],
  });
  return Promise.all(
    names.map(async (name) =>
      startRealCluster({
        ...common,
        name,
        program: real.apiserver,
        dir: join(dir, name),
        etcdUrl: etcd.url,
        port: await ports.take(),
        controllerPort: await ports.take(),
      }),
    ),
  );
}
