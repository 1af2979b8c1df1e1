import { MeshrootError } from '../lib/errors.ts';
import { issueBundle } from '../rotation/issue-bundle.ts';
import { isKeyless, issueKeyless } from './keyless.ts';
import { intermediateName } from './names.ts';
import { advanceOffline, decideOffline, seeOfflineRequest } from './offline-request.ts';
import type { Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { storeBundle } from './store-bundle.ts';

/**
 * Makes, judges and stores a new intermediate CA for a cluster, as mesh.yaml wants it; read back before it returns. With an
 * offline root it makes the request, and stores the certificate once it has come back.
 * @throws MeshrootError `bundle-refused`, `bundle-not-stored`, `waiting-for-signature`
 */
export async function storeNewIntermediate(mesh: Mesh, cluster: MeshCluster, reach: Reach): Promise<void> {
  if (mesh.root.offline !== undefined) return takeSigned(mesh, cluster, reach);
  if (isKeyless(cluster)) return issueKeyless(mesh, cluster, reach);
  const bundle = await issueBundle({
    vault: reach.vault,
    rootMount: mesh.root.mount,
    name: intermediateName(cluster),
    keyType: cluster.intermediate.keyType,
    ttl: cluster.intermediate.ttl,
    now: reach.clock.now(),
  });
  await storeBundle(mesh, cluster, reach, bundle);
}

/** As far as it goes by itself: the request made and laid out, or the signed certificate stored. */
async function takeSigned(mesh: Mesh, cluster: MeshCluster, reach: Reach): Promise<void> {
  for (;;) {
    const state = await seeOfflineRequest(mesh, cluster, reach);
    if (state === undefined) return;
    const decision = decideOffline(state, cluster, reach.clock.now());
    if (decision.kind === 'refuse') throw decision.error;
    if (decision.kind === 'wait') {
      throw new MeshrootError('waiting-for-signature', `${cluster.name}: ${decision.why}`, {
        hint: decision.next.replace(/meshroot apply$/, `meshroot rotate intermediate ${cluster.name}`),
        exit: 1,
      });
    }
    await advanceOffline(mesh, cluster, reach, state);
    if (state.carried) return;
  }
}
