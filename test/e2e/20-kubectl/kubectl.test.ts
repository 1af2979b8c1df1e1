import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { type SandboxCluster, startCluster } from '../../../src/sandbox/cluster.ts';
import { Kubectl } from '../../support/kubectl.ts';

const folder = mkdtempSync(join(tmpdir(), 'meshroot-kubectl-'));
let cluster: SandboxCluster;
let kubectl: Kubectl;
let kubelet: Server;
const asked: { url: string; user: string }[] = [];

/** A kubelet as far as `kubectl logs` goes: it wants the API server's client certificate. */
async function startFakeKubelet(): Promise<Server> {
  const identity = await cluster.servingIdentity(['node1'], ['127.0.0.1']);
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key.reveal(),
      ca: cluster.caPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
      asked.push({ url: request.url ?? '', user: String(subject.CN) });
      if (request.url?.includes('/waiting')) {
        response
          .writeHead(400)
          .end('container "waiting" in pod "logged" is waiting to start: PodInitializing');
      } else response.end('line 1\nline 2\n');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

beforeAll(async () => {
  cluster = await startCluster({ name: 'cluster1', clock: systemClock });
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, cluster.adminKubeconfig.reveal(), { mode: 0o600 });
  kubectl = new Kubectl(path, folder);
  kubelet = await startFakeKubelet();
  await kubectl.ok(['create', 'namespace', 'demo']);
});

afterAll(async () => {
  kubelet.close();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

const deployment = (value: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: demo, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: c, image: example/c:1, env: [{ name: A, value: "${value}" }] }
`;

const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('a real kubectl on a sandbox cluster', () => {
  test('sees version, namespaces and what can be served', async () => {
    expect(await kubectl.ok(['version'])).toContain('Server Version: v1.34.0+meshroot');
    const namespaces = lines(await kubectl.ok(['get', 'namespaces', '-o', 'name']));
    expect(namespaces).toEqual(
      expect.arrayContaining(['namespace/default', 'namespace/kube-system', 'namespace/demo']),
    );
    expect(await kubectl.ok(['api-resources', '--api-group=apps', '-o', 'name'])).toContain(
      'deployments.apps',
    );
  });

  test('finds a service account and the cluster CA in a new namespace', async () => {
    const output = await kubectl.ok(['get', 'sa,cm', '-n', 'demo']);
    expect(output).toMatch(/serviceaccount\/default +0 /);
    expect(output).toMatch(/configmap\/kube-root-ca.crt +1 /);
  });

  test('applies a deployment, again without change, and changed', async () => {
    const apply = ['apply', '-f', '-'];
    expect(await kubectl.ok(apply, deployment('one'))).toBe('deployment.apps/web created\n');
    expect(await kubectl.ok(apply, deployment('one'))).toBe('deployment.apps/web unchanged\n');
    expect(await kubectl.ok(apply, deployment('two'))).toBe('deployment.apps/web configured\n');
    expect(await kubectl.ok(['diff', '-f', '-'], deployment('two'))).toBe('');
    const value = [
      'get',
      'deployment',
      'web',
      '-n',
      'demo',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].env[0].value}',
    ];
    expect(await kubectl.ok(value)).toBe('two');
    const revision = await kubectl.ok(['rollout', 'history', 'deployment/web', '-n', 'demo']);
    expect(lines(revision).at(-1)).toMatch(/^2 /);
  });

  test('lists and describes its pods with the projected token', async () => {
    const table = lines(await kubectl.ok(['get', 'pods', '-n', 'demo', '-l', 'app=web']));
    expect(table[0]).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$/);
    expect(table[1]).toMatch(/^web-\S+ +0\/1 +Pending +0 +\d+s$/);
    const text = await kubectl.ok(['describe', 'pods', '-n', 'demo', '-l', 'app=web']);
    expect(text).toContain('/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-');
    expect(text).toContain('Controlled By:    ReplicaSet/web-');
    expect(text).toMatch(/FailedScheduling +\S+ .*default-scheduler +0\/0 nodes are available\./);
  });

  test('patches in three ways', async () => {
    const patch = (type: string, text: string) =>
      kubectl.ok(['patch', 'cm', 'kube-root-ca.crt', '-n', 'demo', `--type=${type}`, '-p', text]);
    expect(await patch('merge', '{"metadata":{"labels":{"a":"b"}}}')).toContain('patched');
    expect(await patch('json', '[{"op":"replace","path":"/metadata/labels/a","value":"c"}]')).toContain(
      'patched',
    );
    expect(await patch('strategic', '{"metadata":{"labels":{"d":"e"}}}')).toContain('patched');
    const labels = await kubectl.ok([
      'get',
      'cm',
      'kube-root-ca.crt',
      '-n',
      'demo',
      '-o',
      'jsonpath={.metadata.labels}',
    ]);
    expect(JSON.parse(labels)).toEqual({ a: 'c', d: 'e' });
  });

  test('applies on the server side', async () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ssa, namespace: demo }\ndata: { a: b }\n';
    expect(await kubectl.ok(['apply', '--server-side', '-f', '-'], text)).toBe(
      'configmap/ssa serverside-applied\n',
    );
    expect(await kubectl.ok(['apply', '--server-side', '-f', '-'], text.replace('b }', 'c }'))).toContain(
      'applied',
    );
    expect(await kubectl.ok(['get', 'cm', 'ssa', '-n', 'demo', '-o', 'jsonpath={.data.a}'])).toBe('c');
  });

  test('creates what it sends as protobuf', async () => {
    await kubectl.ok(['create', 'secret', 'generic', 's', '-n', 'demo', '--from-literal=key=value']);
    expect(await kubectl.ok(['get', 'secret', 's', '-n', 'demo', '-o', 'jsonpath={.data.key}'])).toBe(
      'dmFsdWU=',
    );
    await kubectl.ok([
      'create',
      'deployment',
      'made',
      '-n',
      'demo',
      '--image=example/c:1',
      '--replicas=0',
      '--port=80',
    ]);
    const spec = JSON.parse(await kubectl.ok(['get', 'deployment', 'made', '-n', 'demo', '-o', 'json'])).spec;
    expect(spec.replicas).toBe(0);
    expect(spec.template.spec.containers[0].ports).toEqual([{ containerPort: 80, protocol: 'TCP' }]);
  });

  test('creates a token that the API server then knows', async () => {
    const token = (await kubectl.ok(['create', 'token', 'default', '-n', 'demo', '--duration=10m'])).trim();
    const who = await kubectl.ok(['auth', 'whoami', '--token', token, '-o', 'json']);
    // the kubeconfig's certificate wins over --token, as on a real cluster
    expect(JSON.parse(who).status.userInfo.username).toBe('kubernetes-admin');
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const answer = await kubectl.ok(['create', '-f', '-', '-o', 'json'], JSON.stringify(review));
    expect(JSON.parse(answer).status.user.username).toBe('system:serviceaccount:demo:default');
  });

  test('asks what someone may do, before and after a binding', async () => {
    const canI = ['auth', 'can-i', 'get', 'pods', '-n', 'demo', '--as=system:serviceaccount:demo:default'];
    expect((await kubectl.run(canI)).stdout).toBe('no\n');
    await kubectl.ok([
      'create',
      'rolebinding',
      'b',
      '-n',
      'demo',
      '--clusterrole=view',
      '--serviceaccount=demo:default',
    ]);
    expect(await kubectl.ok(canI)).toBe('yes\n');
    const denied = await kubectl.run([
      'get',
      'secrets',
      '-n',
      'demo',
      '--as=system:serviceaccount:demo:default',
    ]);
    expect(denied.code).toBe(1);
    expect(denied.stderr).toBe(
      'Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:demo:default" cannot list resource "secrets" in API group "" in the namespace "demo"\n',
    );
  });

  test('watches', async () => {
    const seen = kubectl.until(
      ['get', 'cm', '-n', 'demo', '-w', '-o', 'name', '--field-selector=metadata.name=watched'],
      (o) => lines(o).length >= 2,
    );
    await kubectl.ok(['create', 'cm', 'watched', '-n', 'demo']);
    await kubectl.ok(['label', 'cm', 'watched', '-n', 'demo', 'a=b']);
    expect(lines(await seen)).toEqual(['configmap/watched', 'configmap/watched']);
  });

  test('reads logs through the kubelet of the node', async () => {
    const port = (kubelet.address() as AddressInfo).port;
    const node = await cluster.api.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node1' },
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    expect(node.metadata.name).toBe('node1');
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'logged', namespace: 'demo' },
      spec: {
        nodeName: 'node1',
        containers: ['c', 'waiting'].map((name) => ({ name, image: 'example/c:1' })),
      },
    });
    expect(await kubectl.ok(['logs', 'logged', '-n', 'demo', '-c', 'c', '--tail=2'])).toBe(
      'line 1\nline 2\n',
    );
    expect(asked).toContainEqual({
      url: '/containerLogs/demo/logged/c?tailLines=2',
      user: 'kube-apiserver-kubelet-client',
    });
    const early = await kubectl.run(['logs', 'logged', '-n', 'demo', '-c', 'waiting']);
    expect(early.stderr).toContain(
      'container "waiting" in pod "logged" is waiting to start: PodInitializing',
    );
  });

  test('is told what is wrong in the words of a real API server', async () => {
    const text = async (args: string[], input?: string) => (await kubectl.run(args, input)).stderr.trim();
    expect(await text(['get', 'pod', 'nope', '-n', 'demo'])).toBe(
      'Error from server (NotFound): pods "nope" not found',
    );
    expect(await text(['create', 'namespace', 'demo'])).toBe(
      'Error from server (AlreadyExists): namespaces "demo" already exists',
    );
    expect(await text(['create', 'cm', 'x', '-n', 'nowhere'])).toContain('namespaces "nowhere" not found');
    const bad =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: Bad, namespace: demo }\nspec: { containers: [{ name: c, image: i }] }\n';
    expect(await text(['create', '-f', '-'], bad)).toMatch(
      /The Pod "Bad" is invalid: metadata.name: Invalid value: "Bad": a lowercase RFC 1123 subdomain/,
    );
  });

  test('deletes a deployment with all that it owns, and a namespace with all that is in it', async () => {
    await kubectl.ok(['delete', 'deployment', 'web', '-n', 'demo']);
    // the pods are on a node whose kubelet only knows logs, so nobody stops them: Terminating until forced
    await kubectl.ok([
      'wait',
      '--for=jsonpath={.metadata.deletionGracePeriodSeconds}=30',
      'pods',
      '-l',
      'app=web',
      '-n',
      'demo',
    ]);
    await kubectl.ok(['delete', 'pods', '--all', '-n', 'demo', '--force', '--grace-period=0']);
    await kubectl.ok(['delete', 'namespace', 'demo', '--timeout=30s']);
    const left = await kubectl.ok(['get', 'all,cm,sa,secrets,rolebindings', '-n', 'demo']);
    expect(left).toBe('');
  });
});
