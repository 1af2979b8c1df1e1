import type { RemoteCluster } from '../istio/ca-authority.ts';
import { clusterReviewer } from '../istio/ca-cluster.ts';
import { nodeAuthorizer } from '../istio/ca-impersonation.ts';
import { jwksReviewer } from '../istio/ca-jwks.ts';
import { withinWindow } from '../istio/ca-revocation-window.ts';
import type { CaSettings, JwksSettings } from '../istio/ca-settings.ts';
import { boundedReview, type ReviewToken } from '../istio/ca-token-review.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';

interface Options {
  readonly settings: CaSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** The clusters that a CA serves: its own, and further ones by name. */
export interface Clusters extends RemoteCluster {
  /** API servers by cluster id, the own one among them when there is one. */
  readonly apis: ReadonlyMap<string, KubeApi>;
  readonly remotes: ReadonlyMap<string, RemoteCluster>;
  close(): void;
}

/** @throws MeshrootError `no-reviewer` when nothing could tell good tokens from bad ones, or as the kubeconfigs deserve */
export async function connectClusters(options: Options): Promise<Clusters> {
  const { settings, clock } = options;
  const apis = new Map<string, KubeApi>();
  const close = () => {
    for (const api of apis.values()) api.close();
  };
  try {
    const own = await ownCluster(options);
    if (own !== undefined) apis.set(settings.clusterId, own);
    const local = { review: await ownReview(settings, clock, own), ...authorizer(settings, clock, own) };
    const remotes = new Map<string, RemoteCluster>();
    for (const [name, kubeconfig] of settings.remoteClusters) {
      const { connect } = await import('../kube/connect.ts');
      const api = await connect({ kubeconfig, env: {}, clock });
      apis.set(name, api);
      const review = boundedReview(clusterReviewer(api), { clock });
      remotes.set(name, { review, ...authorizer(settings, clock, api) });
    }
    return { ...local, apis, remotes, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The cluster whose tokens are reviewed and whose namespaces get the root; none with --jwks and no kubeconfig. */
async function ownCluster({ settings, env, clock }: Options): Promise<KubeApi | undefined> {
  const named = settings.kubeconfig !== undefined || env.KUBECONFIG || env.KUBERNETES_SERVICE_HOST;
  if (settings.jwks !== undefined && !named) return undefined;
  const { connect } = await import('../kube/connect.ts');
  try {
    return await connect({ kubeconfig: settings.kubeconfig, env, clock });
  } catch (error) {
    if (!(error instanceof MeshrootError) || error.code !== 'no-cluster') throw error;
    throw new MeshrootError(
      'no-reviewer',
      'nothing can tell good tokens from bad ones: no cluster and no keys are configured',
      {
        hint: 'give --kubeconfig FILE (TokenReview) or --jwks FILE|URL --issuer ISSUER',
      },
    );
  }
}

async function ownReview({ jwks }: CaSettings, clock: Clock, api: KubeApi | undefined): Promise<ReviewToken> {
  if (jwks !== undefined) return boundedReview(await byKeys(jwks, clock, api), { clock });
  if (api === undefined) throw new MeshrootError('no-reviewer', 'no cluster to review tokens');
  return boundedReview(clusterReviewer(api), { clock });
}

/** By the issuer's keys; tokens older than the revocation window by the cluster too. */
async function byKeys(jwks: JwksSettings, clock: Clock, api: KubeApi | undefined): Promise<ReviewToken> {
  const local = await jwksReviewer({ ...jwks, clock });
  const { revocationWindow: window } = jwks;
  if (window === undefined) return local;
  if (api !== undefined) return withinWindow({ local, cluster: clusterReviewer(api), window, clock });
  throw new MeshrootError('no-reviewer', '--revocation-window needs a cluster that knows what was revoked', {
    hint: 'give --kubeconfig FILE too, or run in a pod of the cluster',
  });
}

function authorizer(
  { trustedNodeAccounts }: CaSettings,
  clock: Clock,
  api: KubeApi | undefined,
): Pick<RemoteCluster, 'mayImpersonate'> {
  if (api === undefined || trustedNodeAccounts.size === 0) return {};
  return { mayImpersonate: nodeAuthorizer({ api, trusted: trustedNodeAccounts, clock }) };
}
