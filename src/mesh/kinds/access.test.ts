import { describe, expect, test } from 'vitest';
import { parseMesh } from '../load.ts';
import type { MeshCluster } from '../schema.ts';
import { accessPolicy, accessResources } from './access.ts';

function clusterWith(more: string): MeshCluster {
  const text = `apiVersion: meshroot/v1\nkind: Mesh\nvault: {address: "http://v:8200"}\nclusters:\n  - name: eu\n${more}`;
  const [cluster] = parseMesh(text, 'm').clusters;
  if (cluster === undefined) throw new Error('no cluster');
  return cluster;
}

const who = { name: 'x', namespace: 'n', serviceAccount: 's' };

describe('access besides istiod', () => {
  test('a writer may update its one entry, and neither read it nor anything else', () => {
    expect(accessPolicy(clusterWith(''), { ...who, can: 'write' })).toBe(
      'path "kubernetes-eu-secrets/istiod-service/certs" {\n  capabilities = ["create", "update"]\n}\n',
    );
  });

  test('an auditor sees the set-up of its cluster, its certificates, and no key', () => {
    const policy = accessPolicy(clusterWith(''), { ...who, can: 'audit' });
    expect(policy).toContain('path "auth/kubernetes-eu/role/*"');
    expect(policy).toContain('path "kubernetes-eu-secrets/istiod-service/certs-public"');
    expect(policy).not.toMatch(/certs"|create|update|delete|sudo|next\/key/);
  });

  test('a gateway gets a role, a policy and an entry of its own, under KV v2 below data/', () => {
    const cluster = clusterWith('    kv: 2\n    gateways: [{ name: ingress, namespace: gw }]\n');
    expect(accessResources(cluster).map(({ label, summary }) => [label, summary])).toEqual([
      [
        'policy istiod-certs-eu-gateway-ingress',
        'read kubernetes-eu-secrets/data/gateways/ingress/certs, nothing else',
      ],
      ['role gateway-ingress', 'gw/ingress -> istiod-certs-eu-gateway-ingress, ttl 1h'],
    ]);
  });
});
