import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createPod,
  ended,
  freshNodePerTest,
  kube,
  kubelet,
  output,
  sh,
  startNode,
  status,
} from './test-node.ts';

freshNodePerTest();

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
  await expect.poll(async () => (await output('p', 'vault-agent').catch(() => []))[0] ?? '').toContain('}');
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
