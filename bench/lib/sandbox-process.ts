import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { systemClock } from '../../src/lib/clock.ts';
import { startCluster } from '../../src/sandbox/cluster.ts';

/** Runs a sandbox cluster until stdin ends; its first line says where it is and who is known there. */
const workloads = 64;
const jwksIssuer = 'https://tokens.example';
const cluster = await startCluster({ name: 'cluster1', clock: systemClock });
for (const name of ['istio-system', 'demo']) {
  await cluster.api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

async function tokenOf(namespace: string, name: string, audiences?: readonly string[]): Promise<string> {
  await cluster.api.ensure({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  const made = await cluster.api.request(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 7200, ...(audiences === undefined ? {} : { audiences }) },
      },
    },
  );
  return (made.status as { token: string }).token;
}

await cluster.api.ensure({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'istiod-reviews' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
  subjects: [{ kind: 'ServiceAccount', name: 'istiod', namespace: 'istio-system' }],
});
const istiodToken = await tokenOf('istio-system', 'istiod');
const workloadTokens: string[] = [];
const jwksTokens: string[] = [];
const signing = await generateKeyPair('RS256');
for (let i = 0; i < workloads; i++) {
  workloadTokens.push(await tokenOf('demo', `shop-${i}`, ['istio-ca']));
  jwksTokens.push(await foreignToken(`system:serviceaccount:demo:shop-${i}`));
}

/** RS256, as most clusters sign and as the only kind that istiod takes for a JWT rule; the sandbox itself signs ES256. */
function foreignToken(subject: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
    .setIssuer(jwksIssuer)
    .setAudience(['istio-ca'])
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(signing.privateKey);
}

const jwk = await exportJWK(signing.publicKey);
const jwks = JSON.stringify({ keys: [{ ...jwk, kid: 'bench', alg: 'RS256', use: 'sig' }] });
const keys = createServer((_, response) => response.setHeader('content-type', 'application/json').end(jwks));
await once(keys.listen(0, '127.0.0.1'), 'listening');

const facts = {
  url: cluster.url,
  caPem: cluster.caPem,
  kubeconfig: cluster.adminKubeconfig.reveal(),
  jwksUrl: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks.json`,
  istiodToken,
  jwksIssuer,
  jwksTokens,
  workloadTokens,
};
process.stdout.write(`${JSON.stringify(facts)}\n`);
process.stdin.resume().on('end', () => process.exit(0));
