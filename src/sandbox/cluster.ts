import type { Clock } from '../lib/clock.ts';
import { type Logger, silentLogger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { generateKeyPair } from '../x509/keys.ts';
import type { ServiceResolver } from './api/admission/webhook-call.ts';
import { ApiServer } from './api/api-server.ts';
import { bootstrapPolicy } from './api/bootstrap-policy.ts';
import { listen } from './api/listen.ts';
import { LocalApi } from './api/local-api.ts';
import { Rbac } from './api/rbac.ts';
import { ServiceAccountTokens } from './api/service-account-tokens.ts';
import { MemoryStore, type Store } from './api/store.ts';
import { createClusterAuthority, type Identity, kubernetesNames } from './cluster-authority.ts';
import { startControllers } from './controllers/start-controllers.ts';
import { endpointsResolver } from './service-resolver.ts';

export interface ClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly log?: Logger;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Where a webhook's Service listens; default: by the Service's Endpoints. */
  readonly resolveService?: ServiceResolver;
}

/** One running sandbox cluster: API server and controllers, no node yet. */
export interface SandboxCluster {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  /** As `system:masters`; it holds a private key. */
  readonly adminKubeconfig: Secret<string>;
  /** For the programs of this process: everything that kubectl can do, without a socket. */
  readonly api: LocalApi;
  /** To look at, not to write into. */
  readonly store: Store;
  /** A kubeconfig for a client of this name; a kubelet is `system:node:NAME` in `system:nodes`. */
  kubeconfigFor(user: string, groups: readonly string[]): Promise<Secret<string>>;
  /** A serving certificate, as a kubelet needs for its logs: `caPem` also signs the API server's client certificate. */
  servingIdentity(dns: readonly string[], ips: readonly string[]): Promise<Identity>;
  /** Ends watches, connections and controllers. */
  close(): Promise<void>;
}

/**
 * Starts a cluster whose objects live in memory: gone with the process.
 * @throws Node's EADDRINUSE when the port is taken
 */
export async function startCluster(options: ClusterOptions): Promise<SandboxCluster> {
  const { name, clock, host = '127.0.0.1', port = 0, log = silentLogger } = options;
  const authority = await createClusterAuthority(clock);
  const { caPem } = authority;
  const kubelet = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
  const serving = await authority.serving(kubernetesNames, [host, '10.96.0.1']);
  const store = new MemoryStore();
  const tokens = new ServiceAccountTokens({
    store,
    clock,
    key: (await generateKeyPair('ec-p256')).privateKey,
  });
  let url = '';
  const server = new ApiServer(
    {
      store,
      clock,
      tokens,
      rbac: new Rbac(store),
      resolveService: options.resolveService ?? endpointsResolver(store),
      kubelet: { certificate: kubelet.certificate, key: () => kubelet.key.reveal(), ca: caPem },
    },
    () => `${url}/openid/v1/jwks`,
  );
  const api = new LocalApi(server);
  await seed(api);
  const stop = startControllers({ store, api, clock, log }, tokens, caPem);
  const listener = await listen(server, {
    host,
    port,
    certificate: serving.certificate,
    key: serving.key.reveal(),
    clientCa: caPem,
  });
  url = `https://${host}:${listener.port}`;
  const kubeconfigFor = (user: string, groups: readonly string[]): Promise<Secret<string>> =>
    authority.kubeconfig(name, url, user, groups);
  return {
    name,
    url,
    caPem,
    adminKubeconfig: await kubeconfigFor('kubernetes-admin', ['system:masters']),
    api,
    store,
    kubeconfigFor,
    servingIdentity: authority.serving,
    close: async () => {
      stop();
      await listener.close();
    },
  };
}

/** What every cluster has from the start. */
async function seed(api: LocalApi): Promise<void> {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    await api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const object of bootstrapPolicy()) await api.ensure(object);
  await api.ensure({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
  });
}
