import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createIntermediateFiles, createRootFiles } from '../../src/istio/pki-files.ts';
import type { KubeApi } from '../../src/kube/api.ts';
import type { MeshWorld } from './mesh-world.ts';

const namespace = 'istio-system';
const days = 86_400_000;

/** What Istio's charts leave in a cluster, as far as it tells of the CA. */
export async function istioOn(
  kube: KubeApi,
  options: { root?: string; annotations?: Record<string, string> } = {},
): Promise<void> {
  const { root, annotations = {} } = options;
  const named = (name: string) => ({ name, namespace });
  if ((await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })) === undefined) {
    await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: named('istiod') });
  }
  const mesh = 'trustDomain: shop.example\ntrustDomainAliases: [old.example]\n';
  await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: named('istio'), data: { mesh } });
  if (root !== undefined) {
    const data = { 'root-cert.pem': root };
    await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: named('istio-ca-root-cert'), data });
  }
  const labels = { app: 'istiod', 'istio.io/rev': 'default' };
  await kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...named('istiod'), labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'istiod' } },
      template: {
        metadata: { labels, annotations },
        spec: {
          serviceAccountName: 'istiod',
          containers: [{ name: 'discovery', image: 'istio/pilot:1.30.3', args: ['discovery'] }],
        },
      },
    },
  });
}

/** The Deployment of istio-csr, as its chart makes it. */
export async function istioCsrOn(kube: KubeApi): Promise<void> {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cert-manager' } });
  const labels = { app: 'cert-manager-istio-csr' };
  const args = ['--issuer-name=istio-ca', '--issuer-kind=Issuer', '--trust-domain=shop.example'];
  const image = 'quay.io/jetstack/cert-manager-istio-csr:v0.17.0';
  await kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cert-manager-istio-csr', namespace: 'cert-manager' },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'istio-csr', image, args }] } },
    },
  });
}

/** Two clusters as people run them: one root by the Makefile's layout, an intermediate per cluster in Secret cacerts. */
export async function meshWithCacerts({ dir, kubes }: MeshWorld): Promise<void> {
  const settings = { folder: join(dir, 'made'), keyType: 'ec-p256', now: Date.now() } as const;
  await createRootFiles({ ...settings, ttl: undefined });
  for (const [name, kube] of kubes) {
    await createIntermediateFiles({ ...settings, name, ttl: 365 * days, renew: false });
    await istioOn(kube);
    const files = ['ca-key.pem', 'ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'];
    const data = files.map((file) => [file, readFileSync(join(dir, 'made', name, file)).toString('base64')]);
    await kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cacerts', namespace },
      data: Object.fromEntries(data),
    });
  }
}

/** One kubeconfig with a context per cluster. */
export function kubeconfigOf({ dir, kubes }: MeshWorld): string {
  const parts = [...kubes.keys()].map((name) => {
    const config = parse(readFileSync(join(dir, `${name}.kubeconfig`), 'utf8'));
    return {
      clusters: config.clusters,
      users: [{ ...config.users[0], name: `admin-${name}` }],
      contexts: [{ name, context: { cluster: name, user: `admin-${name}` } }],
    };
  });
  const all = (key: 'clusters' | 'users' | 'contexts') => parts.flatMap((part) => part[key]);
  const merged = { clusters: all('clusters'), users: all('users'), contexts: all('contexts') };
  const path = join(dir, 'kubeconfig');
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...merged }), { mode: 0o600 });
  return path;
}
