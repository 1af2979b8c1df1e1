import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeKube } from '../../../test/support/fake-kube.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { ImageProgram } from './images.ts';
import { type Kubelet, type KubeletOptions, start } from './kubelet.ts';

const images: ImageProgram[] = [
  {
    repositories: ['test/sh'],
    tools: { hello: { argv: ['/bin/echo', 'hello'] } },
    entrypoint: ['/bin/sh', '-c'],
  },
];

let dir: string;
let kube: FakeKube;
let kubelet: Kubelet;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubelet-'));
  kube = new FakeKube();
});

afterEach(async () => {
  await kubelet.stop(100);
  await rm(dir, { recursive: true, force: true });
});

async function startNode(options: Partial<KubeletOptions> = {}): Promise<void> {
  const backoff = { base: 20 };
  kubelet = await start({
    kube,
    nodeName: 'node1',
    dir,
    images,
    backoff,
    env: { SECRET_OF_PARENT: 'x' },
    ...options,
  });
}

const sh = (name: string, script: string, more: object = {}) => ({
  name,
  image: 'test/sh:1',
  args: [script],
  ...more,
});

async function createPod(name: string, spec: object, metadata: object = {}): Promise<void> {
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', ...metadata },
    spec,
  } as KubeObject);
}

interface Status {
  phase: string;
  conditions: { type: string; status: string }[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses: ContainerStatus[];
}
interface ContainerStatus {
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: Record<string, Record<string, unknown>>;
  lastState: Record<string, Record<string, unknown>>;
}

/** Waits for a pod's status to fulfil `wanted`. */
function status(name: string, wanted: (status: Status) => boolean): Promise<Status> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    let last: unknown;
    const late = setTimeout(
      () => reject(new Error(`status of ${name} stayed ${JSON.stringify(last)}`)),
      10_000,
    );
    void kube.watch(
      { apiVersion: 'v1', kind: 'Pod' },
      {},
      (event) => {
        if (event.type === 'SYNCED' || event.object.metadata.name !== name) return;
        last = event.object.status;
        if (last === undefined || !wanted(last as Status)) return;
        clearTimeout(late);
        queueMicrotask(() => stop.abort());
        resolve(last as Status);
      },
      stop.signal,
    );
  });
}

const ended = (s: Status) => s.phase === 'Succeeded' || s.phase === 'Failed';
const output = async (pod: string, container: string, run = 0): Promise<string[]> => {
  const file = join(kubelet.podDir('ns', pod) ?? '', 'containers', container, `${run}.log`);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => line.split(' ').slice(3).join(' '));
};

test('an unscheduled pod is bound, its init containers run in order before its containers, and it succeeds', async () => {
  await startNode();
  await createPod('p', {
    restartPolicy: 'Never',
    volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    initContainers: [
      sh('one', 'echo 1 >> /data/order', { volumeMounts: [{ name: 'v', mountPath: '/data' }] }),
      sh('two', 'echo 2 >> /data/order', { volumeMounts: [{ name: 'v', mountPath: '/data' }] }),
    ],
    containers: [
      sh('main', 'cat /work/order; hello; echo dev > /dev/stdout', {
        volumeMounts: [{ name: 'v', mountPath: '/work' }],
      }),
    ],
  });
  const done = await status('p', ended);
  expect(done.phase).toBe('Succeeded');
  expect(done.initContainerStatuses?.map((c) => c.state.terminated?.reason)).toEqual([
    'Completed',
    'Completed',
  ]);
  expect(await output('p', 'main')).toEqual(['1', '2', 'hello', 'dev']);
  expect(kubelet.hostPath('ns', 'p', 'main', '/work/order')).toBe(
    join(kubelet.podDir('ns', 'p') ?? '', 'volumes/v/order'),
  );
});

test('a container sees its own environment and nothing of ours', async () => {
  await startNode();
  await kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cm', namespace: 'ns' },
    data: { k: 'from-cm' },
  });
  await createPod('p', {
    restartPolicy: 'Never',
    containers: [
      sh('main', 'env; pwd', {
        env: [
          { name: 'A', value: 'a' },
          { name: 'B', value: '$(A)/$(UNKNOWN)/$$(A)' },
          { name: 'NS', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
          { name: 'CM', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } },
          { name: 'FILE', value: '/tmp/x' },
          { name: 'VAULT_CONFIG', value: Buffer.from('{"a":"/tmp/b"}').toString('base64') },
        ],
      }),
    ],
  });
  await status('p', ended);
  const env = new Map((await output('p', 'main')).map((line) => line.split(/=(.*)/s) as [string, string]));
  const rootfs = join(kubelet.podDir('ns', 'p') ?? '', 'containers/main/rootfs');
  expect(env.get('B')).toBe('a/$(UNKNOWN)/$(A)');
  expect([env.get('NS'), env.get('CM')]).toEqual(['ns', 'from-cm']);
  expect(env.get('FILE')).toBe(`${rootfs}/tmp/x`);
  expect(Buffer.from(env.get('VAULT_CONFIG') ?? '', 'base64').toString()).toBe(`{"a":"${rootfs}/tmp/b"}`);
  expect([env.get('KUBERNETES_SERVICE_HOST'), env.get('KUBERNETES_SERVICE_PORT')]).toEqual([
    '127.0.0.1',
    '6443',
  ]);
  expect(env.has('SECRET_OF_PARENT')).toBe(false);
  expect(env.has(rootfs)).toBe(true);
});

test('a failing container is restarted with back-off and shows why', async () => {
  await startNode({ backoff: { base: 300 } });
  await createPod('p', { containers: [sh('main', 'echo run; exit 3')] });
  const waiting = await status(
    'p',
    (s) => s.containerStatuses[0]?.state.waiting?.reason === 'CrashLoopBackOff',
  );
  const [container] = waiting.containerStatuses;
  expect(container?.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  expect(container?.restartCount).toBe(2);
  expect(container?.state.waiting?.message).toMatch(
    /^back-off 0s restarting failed container=main pod=p_ns\(/,
  );
});

test('an init container that fails under restartPolicy Never fails the pod', async () => {
  await startNode();
  await createPod('p', {
    restartPolicy: 'Never',
    initContainers: [sh('i', 'exit 1')],
    containers: [sh('main', 'true')],
  });
  const failed = await status('p', ended);
  expect(failed.phase).toBe('Failed');
  expect(failed.containerStatuses[0]?.state.waiting?.reason).toBe('PodInitializing');
});

test('an unknown image waits with ErrImagePull and says what is known', async () => {
  await startNode();
  await createPod('p', { containers: [{ name: 'main', image: 'docker.io/nginx:1' }] });
  const waiting = await status('p', (s) => s.containerStatuses[0]?.state.waiting?.reason === 'ErrImagePull');
  expect(waiting.containerStatuses[0]?.state.waiting?.message).toBe(
    'no local program stands for image "docker.io/nginx:1"; this node runs: test/sh',
  );
});

test('a native sidecar starts first, after its startup probe, and is ended last', async () => {
  await startNode();
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  await createPod('p', {
    restartPolicy: 'Never',
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [
      sh('side', "trap 'exit 0' TERM; sleep 0.2; touch /v/up; while :; do sleep 0.05; done", {
        restartPolicy: 'Always',
        startupProbe: { exec: { command: ['test', '-f', '/v/up'] }, periodSeconds: 1 },
        volumeMounts,
      }),
    ],
    containers: [sh('main', 'test -f /v/up && echo sidecar is up', { volumeMounts })],
  });
  const done = await status('p', ended);
  expect(done.phase).toBe('Succeeded');
  expect(await output('p', 'main')).toEqual(['sidecar is up']);
  const stopped = await status('p', (s) => s.initContainerStatuses?.[0]?.state.terminated !== undefined);
  expect(stopped.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(0);
});

test('readiness follows its probe', async () => {
  await startNode();
  await createPod('p', {
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [
      sh('main', 'sleep 0.2; touch /v/ready; sleep 60', {
        readinessProbe: { exec: { command: ['test', '-f', '/v/ready'] }, periodSeconds: 1 },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      }),
    ],
  });
  const running = await status('p', (s) => s.phase === 'Running');
  expect(running.containerStatuses[0]?.ready).toBe(false);
  const ready = await status('p', (s) => s.containerStatuses[0]?.ready === true);
  expect(ready.conditions.find((c) => c.type === 'Ready')?.status).toBe('True');
});

test('a projected volume holds a bound token, renewed in time, beside config and labels', async () => {
  kube.tokenLife = 500;
  await kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cm', namespace: 'ns' },
    data: { 'ca.crt': 'one' },
  });
  await startNode({ refreshEvery: 50 });
  const sources = [
    { serviceAccountToken: { path: 'token', audience: 'istio-ca', expirationSeconds: 600 } },
    { configMap: { name: 'cm', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ];
  const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
  await createPod(
    'p',
    {
      serviceAccountName: 'sa',
      volumes: [{ name: 'sa', projected: { sources } }],
      containers: [
        sh('main', 'cat $KUBECONFIG; echo; sleep 60', { volumeMounts: [{ name: 'sa', mountPath }] }),
      ],
    },
    { labels: { app: 'x' } },
  );
  await status('p', (s) => s.phase === 'Running');
  const folder = kubelet.hostPath('ns', 'p', 'main', mountPath) ?? '';
  expect(await readFile(join(folder, 'labels'), 'utf8')).toBe('app="x"');
  expect(await readlink(join(folder, 'token'))).toBe('..data/token');
  expect(kube.tokenRequests[0]).toMatchObject({
    audiences: ['istio-ca'],
    expirationSeconds: 600,
    boundPod: { name: 'p' },
  });
  const before = await readlink(join(folder, '..data'));
  await kube.patch(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'cm' },
    { data: { 'ca.crt': 'two' } },
  );
  await expect.poll(() => readFile(join(folder, 'ca.crt'), 'utf8')).toBe('two');
  await expect.poll(() => readFile(join(folder, 'token'), 'utf8')).not.toBe('token-sa-1');
  expect(await readlink(join(folder, '..data'))).not.toBe(before);
  const kubeconfig = JSON.parse((await output('p', 'main')).join(''));
  expect(kubeconfig.users[0].user).toEqual({ tokenFile: join(folder, 'token') });
});

test('a pod waits for a ConfigMap that is made later', async () => {
  await startNode();
  await createPod('p', {
    restartPolicy: 'Never',
    volumes: [{ name: 'c', configMap: { name: 'late' } }],
    containers: [sh('main', 'cat /etc/c/k', { volumeMounts: [{ name: 'c', mountPath: '/etc/c' }] })],
  });
  const waiting = await status('p', (s) => s.containerStatuses[0]?.state.waiting?.message !== undefined);
  expect(waiting.containerStatuses[0]?.state.waiting?.message).toBe('configmap "late" not found');
  await kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'late', namespace: 'ns' },
    data: { k: 'v' },
  });
  await status('p', ended);
  expect(await output('p', 'main')).toEqual(['v']);
});

test('a deleted pod gets preStop, SIGTERM and its grace; then its object and folder are gone', async () => {
  await startNode();
  await createPod('p', {
    containers: [
      sh('main', "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", {
        lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'touch /tmp/hook'] } } },
      }),
    ],
  });
  await status('p', (s) => s.phase === 'Running');
  const folder = kubelet.podDir('ns', 'p') ?? '';
  await expect.poll(() => output('p', 'main')).toEqual(['up']);
  await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' });
  const last = await status('p', (s) => s.containerStatuses[0]?.state.terminated !== undefined);
  expect(last.containerStatuses[0]?.state.terminated?.exitCode).toBe(0);
  await expect
    .poll(() => kube.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' }))
    .toBeUndefined();
  await expect.poll(() => existsSync(folder)).toBe(false);
});

test('a container that ignores SIGTERM is killed with everything it started', async () => {
  await startNode();
  await createPod('p', {
    terminationGracePeriodSeconds: 1,
    containers: [sh('main', "trap '' TERM; sleep 300 & echo $!; while :; do sleep 0.05; done")],
  });
  await expect.poll(() => output('p', 'main').catch(() => [])).toHaveLength(1);
  const pid = Number((await output('p', 'main'))[0]);
  await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' }, { gracePeriodSeconds: 1 });
  const last = await status('p', (s) => s.containerStatuses[0]?.state.terminated !== undefined);
  expect(last.containerStatuses[0]?.state.terminated).toMatchObject({ exitCode: 137, signal: 9 });
  await expect.poll(() => existsSync(`/proc/${pid}/exe`)).toBe(false);
});

test('what the vault injector emits runs: config out of the environment, vault on the PATH, SIGTERM to the agent', async () => {
  const agent = `cat "\${1#-config=}"; trap "echo revoked; exit 0" TERM; while :; do sleep 0.05; done`;
  const argv = ['/bin/sh', '-c', agent];
  const vault = {
    repositories: ['hashicorp/vault'],
    tools: { vault: { argv: ['false'], when: { agent: argv } } },
    entrypoint: [],
    home: '/home/vault',
  };
  await startNode({ images: [vault] });
  const config = '{"destination":"/vault/secrets/ca-key.pem","sink":"/home/vault/.vault-token"}\n';
  await createPod('p', {
    volumes: [
      { name: 'home', emptyDir: { medium: 'Memory' } },
      { name: 'secrets', emptyDir: { medium: 'Memory' } },
    ],
    containers: [
      {
        name: 'vault-agent',
        image: 'hashicorp/vault:1.18',
        command: ['/bin/sh', '-ec'],
        args: [
          `echo \${VAULT_CONFIG?} | base64 -d > /home/vault/config.json && vault agent -config=/home/vault/config.json`,
        ],
        env: [{ name: 'VAULT_CONFIG', value: Buffer.from(config).toString('base64') }],
        volumeMounts: [
          { name: 'home', mountPath: '/home/vault' },
          { name: 'secrets', mountPath: '/vault/secrets' },
        ],
      },
    ],
  });
  await expect.poll(() => output('p', 'vault-agent').catch(() => [])).toHaveLength(1);
  const volumes = join(kubelet.podDir('ns', 'p') ?? '', 'volumes');
  const file = join(kubelet.podDir('ns', 'p') ?? '', 'containers/vault-agent/0.log');
  expect(JSON.parse((await output('p', 'vault-agent'))[0] ?? '')).toEqual({
    destination: `${volumes}/secrets/ca-key.pem`,
    sink: `${volumes}/home/.vault-token`,
  });
  const log = openSync(file, 'r'); // the folder goes with the pod
  await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p' });
  await status('p', (s) => s.containerStatuses[0]?.state.terminated !== undefined);
  expect(readFileSync(log, 'utf8')).toContain('revoked');
  closeSync(log);
});

test('the node is registered and its lease renewed', async () => {
  await startNode();
  const node = await kube.get({ apiVersion: 'v1', kind: 'Node', name: 'node1' });
  expect(node?.status).toMatchObject({ addresses: [{ type: 'InternalIP', address: '127.0.0.1' }, {}] });
  await expect
    .poll(() =>
      kube.get({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: 'kube-node-lease',
        name: 'node1',
      }),
    )
    .toBeDefined();
});
