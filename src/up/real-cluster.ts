import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { connect } from '../kube/connect.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { MeshrootError } from '../lib/errors.ts';
import { silentLogger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import type { SandboxCluster } from '../sandbox/cluster.ts';
import { createClusterAuthority, kubernetesNames } from '../sandbox/cluster-authority.ts';
import { schedule } from '../sandbox/kubelet/scheduler.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import type { Child } from './child.ts';
import { type RealProgramOptions, startRealProgram, untilReady } from './real-etcd.ts';

/** What a node needs of its cluster, sandbox or real. */
export type ControlPlane = Pick<
  SandboxCluster,
  'name' | 'url' | 'caPem' | 'adminKubeconfig' | 'kubeconfigFor' | 'servingIdentity' | 'close'
>;

export interface RealClusterOptions extends RealProgramOptions {
  readonly name: string;
  readonly port: number;
  /** Of the controller manager. */
  readonly controllerPort: number;
  readonly etcdUrl: string;
}

/** Those that a mesh needs; no cloud, no volumes, and no node lifecycle: the node is a process that comes and goes. */
const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'garbage-collector-controller',
  'namespace-controller',
];

/**
 * A real kube-apiserver with the kube-controller-manager that lies beside it (or on PATH), on loopback. The scheduler
 * is ours: one node needs no other.
 * @throws MeshrootError `part-not-started`, `no-controller-manager`
 */
export async function startRealCluster(options: RealClusterOptions): Promise<ControlPlane> {
  const { name, dir, port, clock } = options;
  const manager = controllerManager(options);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const authority = await createClusterAuthority(clock);
  const url = `https://127.0.0.1:${port}`;
  const kubeconfigFor = (user: string, groups: readonly string[]): Promise<Secret<string>> =>
    authority.kubeconfig(name, url, user, groups);
  const adminKubeconfig = await kubeconfigFor('kubernetes-admin', ['system:masters']);
  const file = (base: string): string => join(dir, base);
  await writeFileAtomic(file('admin.kubeconfig'), adminKubeconfig.reveal());
  await writeKeys(file, authority);
  const kube = await connect({ kubeconfig: file('admin.kubeconfig'), env: {} });
  const children: Child[] = [];
  const stop = new AbortController();
  const close = async (): Promise<void> => {
    stop.abort();
    kube.close();
    for (const child of children.reverse()) await child.stop('SIGTERM');
  };
  try {
    children.push(await startRealProgram('apiserver', options, apiServerCommand(options, file)));
    await untilReady('kube-apiserver', children[0] as Child, clock, async () => {
      await kube.request('GET', '/readyz');
      return true;
    });
    children.push(await startRealProgram('controllers', options, managerCommand(manager, options, file)));
    const logger = silentLogger;
    void schedule({ kube, clock, logger, nodeName: `${name}-node` }, stop.signal).catch(() => {});
  } catch (error) {
    await close();
    throw error;
  }
  const { caPem, serving } = authority;
  return { name, url, caPem, adminKubeconfig, kubeconfigFor, servingIdentity: serving, close };
}

async function writeKeys(
  file: (base: string) => string,
  authority: Awaited<ReturnType<typeof createClusterAuthority>>,
): Promise<void> {
  const serving = await authority.serving(kubernetesNames, ['127.0.0.1', '10.96.0.1']);
  const kubelet = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
  const tokens = await generateKeyPair('ec-p256');
  const texts: Record<string, string> = {
    'ca.crt': authority.caPem,
    'server.crt': serving.certificate,
    'server.key': serving.key.reveal(),
    'kubelet-client.crt': kubelet.certificate,
    'kubelet-client.key': kubelet.key.reveal(),
    'tokens.key': privateKeyPem(tokens.privateKey, 'traditional').reveal(),
  };
  for (const [base, text] of Object.entries(texts)) await writeFileAtomic(file(base), text);
}

/** Flags as kubeadm sets them, on loopback. */
function apiServerCommand(
  { program, name, port, etcdUrl }: RealClusterOptions,
  file: (base: string) => string,
): string[] {
  return [
    program,
    `--etcd-servers=${etcdUrl}`,
    `--etcd-prefix=/${name}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    '--endpoint-reconciler-type=none', // it refuses to publish a loopback address
    '--service-cluster-ip-range=10.96.0.0/16',
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('tokens.key')}`,
    `--service-account-signing-key-file=${file('tokens.key')}`,
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    `--kubelet-certificate-authority=${file('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

function managerCommand(
  manager: string,
  { controllerPort }: RealClusterOptions,
  file: (base: string) => string,
): string[] {
  return [
    manager,
    `--kubeconfig=${file('admin.kubeconfig')}`,
    `--controllers=${controllers.join(',')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--service-account-private-key-file=${file('tokens.key')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${controllerPort}`,
    '--leader-elect=false',
  ];
}

function controllerManager({ program, env }: RealClusterOptions): string {
  const name = 'kube-controller-manager';
  const folders = [dirname(program), ...(env.PATH ?? '').split(delimiter).filter((dir) => dir !== '')];
  const found = folders.map((dir) => join(dir, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MeshrootError('no-controller-manager', `there is no ${name} beside ${program}, nor on PATH`, {
    hint: 'a real API server makes no pods of Deployments by itself: put it beside kube-apiserver',
  });
}
