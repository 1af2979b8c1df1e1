import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tempFolder, writeFiles } from '../../src/istio/test-mesh.ts';
import type { KubeApi } from '../../src/kube/api.ts';
import { emptyCluster } from '../../test/support/empty-cluster.ts';
import { freePorts, start } from '../../test/support/program.ts';
import type { StartCa } from './situations.ts';
import { remoteTarget } from './target.ts';

/** A real istiod (pilot-discovery) beside an API server of the sandbox; which reviews tokens. */
export const startIstiod =
  (program: string): StartCa =>
  async (files) => {
    const [cluster, folder] = await Promise.all([emptyCluster(), tempFolder()]);
    await writeFiles(folder.path, files);
    await writeFile(join(folder.path, 'mesh.yaml'), 'trustDomain: cluster.local\n');
    const [http, https, grpc, secure, monitoring] = await freePorts(5);
    const at = (port: number | undefined) => `127.0.0.1:${port}`;
    const flags = {
      kubeconfig: cluster.kubeconfig,
      registries: '',
      meshConfig: join(folder.path, 'mesh.yaml'),
      httpAddr: at(http),
      httpsAddr: at(https),
      grpcAddr: at(grpc),
      secureGRPCAddr: at(secure),
      monitoringAddr: at(monitoring),
      ctrlz_port: '0',
    };
    const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const env = {
      ROOT_CA_DIR: folder.path,
      CLUSTER_ID: 'cluster1',
      POD_NAMESPACE: 'istio-system',
      POD_NAME: 'istiod-0',
      ISTIO_MULTIROOT_MESH: 'true',
    };
    const istiod = start([program, 'discovery', ...words], { cwd: folder.path, env });
    await istiod.until(async () => (await fetch(`http://${at(http)}/ready`)).ok);
    const target = remoteTarget({
      kind: 'istiod',
      address: at(secure),
      rootPem: files['root-cert.pem'],
      cluster: 'cluster1',
      namespace: 'demo',
      account: 'shop',
      token: await tokenOf(cluster.kube),
    });
    return {
      ...target,
      address: at(secure),
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
