import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmptyCluster, emptyCluster } from '../../../test/support/empty-cluster.ts';
import { privateKeyPem } from '../../x509/keys.ts';
import { type TestMesh, testMesh, testNow, testRoot } from '../../x509/test-ca.ts';
import { gatherCluster } from './gather-cluster.ts';
import { scan } from './scan.ts';

let cluster: EmptyCluster;
let mesh: TestMesh;
beforeEach(async () => {
  [cluster, mesh] = await Promise.all([emptyCluster(), testMesh()]);
});
afterEach(() => cluster.close());

const secret = (namespace: string, name: string, data: Record<string, string>, type = 'Opaque') =>
  cluster.kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type,
    stringData: data,
  });

const rootOf = (namespace: string, pem: string) =>
  cluster.kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio-ca-root-cert', namespace },
    data: { 'root-cert.pem': pem },
  });

const cacerts = () => ({
  'ca-key.pem': privateKeyPem(mesh.intermediate.privateKey).reveal(),
  'ca-cert.pem': mesh.intermediate.certificate.pem,
  'cert-chain.pem': mesh.intermediate.certificate.pem + mesh.root.certificate.pem,
  'root-cert.pem': mesh.root.certificate.pem,
});

const findings = async (now = testNow) =>
  scan(await gatherCluster(cluster.kube, 'eu'), now).findings.map(({ code, file }) => `${code} ${file}`);

test('the CA key of a cacerts Secret is told, and the bundle is judged as one in files', async () => {
  await secret('kube-system', 'cacerts', cacerts());
  expect(await findings()).toEqual(['ca-key-in-secret eu/secrets/kube-system/cacerts/ca-key.pem']);
});

test('the self-made CA of istiod is no bundle that lacks files', async () => {
  const { root } = mesh;
  const keyAndRoot = {
    'ca-key.pem': privateKeyPem(root.privateKey).reveal(),
    'ca-cert.pem': root.certificate.pem,
  };
  await secret('default', 'istio-ca-secret', { ...keyAndRoot, 'cert-chain.pem': '', 'root-cert.pem': '' });
  expect(await findings()).toEqual(['ca-key-in-secret eu/secrets/default/istio-ca-secret/ca-key.pem']);
});

test('the key of a workload in a TLS Secret is no finding, its end is', async () => {
  const { leaf, intermediate, root } = mesh;
  const data = {
    'tls.crt': leaf.certificate.pem + intermediate.certificate.pem,
    'tls.key': privateKeyPem(leaf.key.privateKey).reveal(),
    'ca.crt': root.certificate.pem,
  };
  await secret('default', 'shop-tls', data, 'kubernetes.io/tls');
  expect(await findings()).toEqual([]);
  const later = leaf.certificate.notAfter + 1000;
  expect(await findings(later)).toEqual(['expired eu/secrets/default/shop-tls/tls.crt']);
});

test('a namespace under another root is told, and one that is behind is warned of', async () => {
  const stranger = await testRoot();
  const { pem } = mesh.root.certificate;
  await rootOf('default', pem);
  await rootOf('kube-system', pem);
  await rootOf('kube-public', stranger.certificate.pem);
  expect(await findings()).toEqual([
    'root-mismatch eu/configmaps/kube-public/istio-ca-root-cert/root-cert.pem',
  ]);
  await rootOf('kube-node-lease', pem + stranger.certificate.pem);
  expect(await findings()).toEqual([
    'root-mismatch eu/configmaps/kube-public/istio-ca-root-cert/root-cert.pem',
    'roots-differ eu/configmaps/kube-node-lease/istio-ca-root-cert/root-cert.pem',
  ]);
});

test('the authority of a webhook is read too', async () => {
  await cluster.kube.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'injector' },
    webhooks: [
      {
        name: 'injector.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        clientConfig: {
          url: 'https://127.0.0.1:1/mutate',
          caBundle: Buffer.from(mesh.root.certificate.pem).toString('base64'),
        },
      },
    ],
  });
  const later = mesh.root.certificate.notAfter + 1000;
  expect(await findings(later)).toEqual(['expired eu/webhooks/injector/injector.example.com/caBundle']);
});

test('who may list nothing is told what was not seen, and nothing fails', async () => {
  const { problems, files } = await gatherCluster(await cluster.as('nobody'), 'eu');
  expect(files).toEqual([]);
  expect(problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual(
    Array(6).fill('not-visible warning'),
  );
  expect(problems[0]?.message).toContain('Secret objects (metadata.name=cacerts) were not looked at');
});
