import { setTimeout as delay } from 'node:timers/promises';
import { tempFolder, writeFiles } from '../../src/istio/test-mesh.ts';
import type { KubeApi } from '../../src/kube/api.ts';
import { emptyCluster } from '../../test/support/empty-cluster.ts';
import { startRealIstiod } from '../../test/support/real-istiod.ts';
import type { StartCa } from './situations.ts';
import { remoteTarget } from './target.ts';

/** A real istiod (pilot-discovery) beside an API server of the sandbox; which reviews tokens. */
export const startIstiod =
  (program: string): StartCa =>
  async (files) => {
    const [cluster, folder] = await Promise.all([emptyCluster(), tempFolder()]);
    await writeFiles(folder.path, files);
    const { address, istiod } = await startRealIstiod({
      program,
      cwd: folder.path,
      kubeconfig: cluster.kubeconfig,
      bundle: folder.path,
      clusterId: 'cluster1',
      env: { ISTIO_MULTIROOT_MESH: 'true' },
    });
    const target = remoteTarget({
      kind: 'istiod',
      address,
      rootPem: files['root-cert.pem'],
      cluster: 'cluster1',
      namespace: 'demo',
      account: 'shop',
      token: await tokenOf(cluster.kube),
    });
    return {
      ...target,
      address,
      folder: folder.path,
      logged: (text) => istiod.until(async () => istiod.log().includes(text)),
      pass: (ms) => delay(Math.max(0, ms)),
      close: async () => {
        await istiod.stop();
        await Promise.all([cluster.close(), folder.remove()]);
      },
    };
  };

async function tokenOf(kube: KubeApi): Promise<string> {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
  await kube.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'shop', namespace: 'demo' },
  });
  const options = { audiences: ['istio-ca'], expirationSeconds: 3600 };
  return (await kube.tokenRequest('demo', 'shop', options)).token.reveal();
}
