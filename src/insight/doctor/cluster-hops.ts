import { isRecord } from '../../lib/records.ts';
import { broken, given, type Hop } from './hop.ts';

/** From the API server to a token of istiod's service account. */
export const clusterHops: readonly Hop[] = [
  {
    name: 'api server',
    check: async (walk) => {
      const kube = await walk.reach.kube(walk.cluster.name);
      const version = await kube.request('GET', '/version');
      walk.kube = kube;
      return `${kube.server} is ${isRecord(version) ? String(version.gitVersion) : 'there'}`;
    },
  },
  {
    name: 'service account',
    check: async ({ kube, cluster }) => {
      const { namespace, serviceAccount: name } = cluster.istiod;
      const found = await given(kube).get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name });
      if (found !== undefined) return `${namespace}/${name}`;
      throw broken(
        `there is no service account ${namespace}/${name}`,
        'meshroot apply makes it; or name the right one as istiod.serviceAccount in mesh.yaml',
      );
    },
  },
  {
    name: 'token',
    check: async (walk) => {
      const { cluster } = walk;
      const { namespace, serviceAccount } = cluster.istiod;
      const wanted = { audiences: [cluster.audience], expirationSeconds: 600 };
      walk.jwt = (await given(walk.kube).tokenRequest(namespace, serviceAccount, wanted)).token;
      return `of ${namespace}/${serviceAccount} for ${cluster.audience}, 10 minutes`;
    },
  },
];
