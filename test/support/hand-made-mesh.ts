import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIntermediateFiles, createRootFiles } from '../../src/istio/pki-files.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { MeshWorld } from './mesh-world.ts';

/**
 * What a person sets up by typing: root and intermediates by the Makefile's layout, mounts, entries, policies, logins
 * with a stored reviewer token, service accounts. Nothing here uses meshroot's own mesh code.
 */
export async function handMadeMesh({ vault, kubes, dir }: MeshWorld): Promise<void> {
  const settings = { folder: dir, keyType: 'ec-p256', ttl: undefined, now: Date.now() } as const;
  await createRootFiles(settings);
  for (const [name, kube] of kubes) {
    await createIntermediateFiles({
      ...settings,
      name: `istiod-${name}`,
      ttl: 90 * 86_400_000,
      renew: false,
    });
    const pem = (file: string) => readFileSync(join(dir, `istiod-${name}`, `${file}.pem`), 'utf8');
    await vault.write(`sys/mounts/kubernetes-${name}-secrets`, { type: 'kv', options: { version: '1' } });
    await vault.write(`kubernetes-${name}-secrets/istiod-service/certs`, {
      ca_key: pem('ca-key'),
      ca_cert: pem('ca-cert'),
      cert_chain: pem('cert-chain'),
      root_cert: pem('root-cert'),
    });
    await vault.write(`sys/policies/acl/istiod-certs-${name}`, {
      policy: `path "kubernetes-${name}-secrets/istiod-service/certs" {\n    capabilities = ["read"]\n}\n`,
    });
    await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
    const namespace = 'istio-system';
    await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'istiod', namespace } });
    await kube.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'role-tokenreview-binding' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'istiod', namespace }],
    });
    const { token } = await kube.tokenRequest(namespace, 'istiod', { expirationSeconds: 3600 });
    await vault.write(`sys/auth/kubernetes-${name}`, { type: 'kubernetes' });
    await vault.write(`auth/kubernetes-${name}/config`, {
      kubernetes_host: kube.server,
      kubernetes_ca_cert: await kube.authority(),
      token_reviewer_jwt: new Secret(token.reveal()).reveal(),
    });
    await vault.write(`auth/kubernetes-${name}/role/istiod`, {
      bound_service_account_names: 'istiod',
      bound_service_account_namespaces: namespace,
      policies: `istiod-certs-${name}`,
      ttl: '24h',
    });
  }
}
