import { MeshrootError } from '../../lib/errors.ts';
import type { Reach, Resource } from '../../mesh/resource.ts';
import { clusterVault } from '../../mesh/resource.ts';
import type { Mesh, MeshCluster } from '../../mesh/schema.ts';
import { clusterHops } from './cluster-hops.ts';
import { type Hop, NotSeen, type Walk } from './hop.ts';
import { meshHops } from './mesh-hops.ts';
import { vaultHops } from './vault-hops.ts';

export interface HopResult {
  readonly name: string;
  /** `unseen`: this user may not look; `none`: nothing to look at here; `after`: behind the broken one. */
  readonly state: 'ok' | 'broken' | 'unseen' | 'none' | 'after';
  /** What was seen, or why it is broken. */
  readonly detail: string;
  readonly fix?: string;
}

const hops: readonly Hop[] = [...clusterHops, ...vaultHops, ...meshHops];

/**
 * Walks from the API server to a workload's certificate and stops at the first broken link. Reads only; what it gets
 * on the way (tokens) ends by itself or is revoked.
 * @param resources what mesh.yaml wants of this cluster
 */
export async function examine(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  resources: readonly Resource[],
): Promise<HopResult[]> {
  const walk: Walk = { mesh, cluster, reach, resources, vault: clusterVault(reach, cluster.name) };
  const results: HopResult[] = [];
  for (const hop of hops) {
    const isOver = results.some(({ state }) => state === 'broken');
    results.push(isOver ? { name: hop.name, state: 'after', detail: 'not reached' } : await look(hop, walk));
  }
  await walk.login?.write('auth/token/revoke-self').catch(() => {}); // it ends by itself within the hour
  return results;
}

async function look({ name, check }: Hop, walk: Walk): Promise<HopResult> {
  try {
    return { name, state: 'ok', detail: await check(walk) };
  } catch (error) {
    if (!(error instanceof MeshrootError)) throw error;
    if (error instanceof NotSeen) {
      return { name, state: error.isFine ? 'none' : 'unseen', detail: error.message };
    }
    return { name, state: 'broken', detail: error.message, ...(error.hint && { fix: error.hint }) };
  }
}
