import type { KubeObject } from '../../kube/api.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import type { Reach } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';

/** How long the cluster's token controller may take, milliseconds. */
const patience = 15_000;

/**
 * A Secret for which Kubernetes makes a token that does not end (since 1.24 only on demand): what a Vault outside of
 * the cluster needs when it is to review with a token of its own.
 */
export function reviewerSecret({ istiod, reviewer }: MeshCluster): KubeObject[] {
  if (reviewer !== 'stored') return [];
  const { namespace, serviceAccount } = istiod;
  const annotations = { 'kubernetes.io/service-account.name': serviceAccount };
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${serviceAccount}-reviewer`, namespace, annotations },
      type: 'kubernetes.io/service-account-token',
    },
  ];
}

/** Its token, once Kubernetes has made it. @throws MeshrootError `no-reviewer-token` */
export async function reviewerToken(cluster: MeshCluster, { kube, clock }: Reach): Promise<string> {
  const api = await kube(cluster.name);
  const { namespace, serviceAccount } = cluster.istiod;
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name: `${serviceAccount}-reviewer` };
  for (const until = clock.now() + patience; clock.now() < until; await clock.sleep(100)) {
    const data = (await api.get(ref))?.data;
    if (isRecord(data) && typeof data.token === 'string') return Buffer.from(data.token, 'base64').toString();
  }
  throw new MeshrootError(
    'no-reviewer-token',
    `${cluster.name} made no token for secret ${namespace}/${ref.name}`,
    {
      hint: 'is the token controller of its kube-controller-manager running? or use reviewer: client',
      exit: 1,
    },
  );
}
