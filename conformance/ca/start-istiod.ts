import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tempFolder, testIssuer, tokenIssuer, writeFiles } from '../../src/istio/test-mesh.ts';
import { emptyCluster } from '../../test/support/empty-cluster.ts';
import { freePorts, start } from '../../test/support/program.ts';
import type { StartCa } from './situations.ts';
import { remoteTarget } from './target.ts';

/** A real istiod (pilot-discovery) beside an API server of the sandbox; tokens are checked by keys (JWT_RULE). */
export const startIstiod =
  (program: string): StartCa =>
  async (files) => {
    const [cluster, issuer, keys, folder] = await Promise.all([
      emptyCluster(),
      tokenIssuer(),
      keyServer(),
      tempFolder(),
    ]);
    keys.jwks = issuer.jwks;
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
    const rule = { issuer: testIssuer, jwks_uri: keys.url, audiences: ['istio-ca'] };
    const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const env = {
      ROOT_CA_DIR: folder.path,
      CLUSTER_ID: 'cluster1',
      POD_NAMESPACE: 'istio-system',
      POD_NAME: 'istiod-0',
      ISTIO_MULTIROOT_MESH: 'true',
      JWT_RULE: JSON.stringify(rule),
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
      token: await issuer.token(),
    });
    return {
      ...target,
      address: at(secure),
      folder: folder.path,
      logged: (text) => istiod.until(async () => istiod.log().includes(text)),
      pass: (ms) => delay(Math.max(0, ms)),
      close: async () => {
        await istiod.stop();
        await Promise.all([cluster.close(), keys.close(), folder.remove()]);
      },
    };
  };

/** A JWKS over plain HTTP. */
async function keyServer() {
  const state = { jwks: '' };
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(state.jwks);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(state, { url, close });
}
