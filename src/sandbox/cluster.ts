import { stringify } from 'yaml';
import type { Clock } from '../lib/clock.ts';
import { days, hours } from '../lib/duration.ts';
import { type Logger, silentLogger } from '../lib/log.ts';
import { Secret } from '../lib/secret.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, type KeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueClient } from '../x509/templates/client.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';
import type { ServiceResolver } from './api/admission/webhook-call.ts';
import { ApiServer } from './api/api-server.ts';
import { bootstrapPolicy } from './api/bootstrap-policy.ts';
import { listen } from './api/listen.ts';
import { LocalApi } from './api/local-api.ts';
import { Rbac } from './api/rbac.ts';
import { ServiceAccountTokens } from './api/service-account-tokens.ts';
import { MemoryStore, type Store } from './api/store.ts';
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

/** A certificate of the cluster's CA and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: Secret<string>;
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

const rootTtl = days(3650);
const leafTtl = days(365);

/**
 * Starts a cluster whose objects live in memory: gone with the process.
 * @throws Node's EADDRINUSE when the port is taken
 */
export async function startCluster(options: ClusterOptions): Promise<SandboxCluster> {
  const { name, clock, host = '127.0.0.1', port = 0, log = silentLogger } = options;
  const now = clock.now();
  const authority = await createAuthority(clock);
  const caPem = authority.certificate.pem;
  const kubelet = await clientIdentity(authority, 'kube-apiserver-kubelet-client', ['system:masters'], now);
  const serving = await serve(authority, ['localhost', ...kubernetesNames], [host, '10.96.0.1'], now);
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
  const kubeconfigFor = async (user: string, groups: readonly string[]): Promise<Secret<string>> =>
    kubeconfig(name, url, caPem, user, await clientIdentity(authority, user, groups, clock.now()));
  return {
    name,
    url,
    caPem,
    adminKubeconfig: await kubeconfigFor('kubernetes-admin', ['system:masters']),
    api,
    store,
    kubeconfigFor,
    servingIdentity: (dns, ips) => serve(authority, dns, ips, clock.now()),
    close: async () => {
      stop();
      await listener.close();
    },
  };
}

const kubernetesNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

async function createAuthority(clock: Clock): Promise<Issuer> {
  const key = await generateKeyPair('ec-p256');
  const subject = [{ type: 'CN', value: 'kubernetes' }];
  const certificate = await createRoot({ key, subject, ttl: rootTtl, now: clock.now() - hours(1) });
  return { certificate, privateKey: key.privateKey };
}

const keyOf = (pair: KeyPair): Secret<string> => privateKeyPem(pair.privateKey);

async function serve(
  issuer: Issuer,
  dns: readonly string[],
  ips: readonly string[],
  now: number,
): Promise<Identity> {
  const pair = await generateKeyPair('ec-p256');
  const { publicKey } = pair;
  const certificate = await issueServing({
    issuer,
    publicKey,
    dns,
    ips,
    ttl: leafTtl,
    now,
    commonName: dns[0] ?? '',
  });
  return { certificate: certificate.pem, key: keyOf(pair) };
}

async function clientIdentity(
  issuer: Issuer,
  commonName: string,
  organizations: readonly string[],
  now: number,
): Promise<Identity> {
  const pair = await generateKeyPair('ec-p256');
  const { publicKey } = pair;
  const certificate = await issueClient({ issuer, publicKey, commonName, organizations, ttl: leafTtl, now });
  return { certificate: certificate.pem, key: keyOf(pair) };
}

function kubeconfig(
  name: string,
  url: string,
  caPem: string,
  user: string,
  identity: Identity,
): Secret<string> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return new Secret(
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: url, 'certificate-authority-data': encode(caPem) } }],
      users: [
        {
          name: user,
          user: {
            'client-certificate-data': encode(identity.certificate),
            'client-key-data': encode(identity.key.reveal()),
          },
        },
      ],
      contexts: [{ name, context: { cluster: name, user } }],
      'current-context': name,
    }),
  );
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
