import { createAppRoleAuth } from './auth/approle/routes.ts';
import type { FetchCrl } from './auth/cert/fetch-crl.ts';
import { createCertAuth } from './auth/cert/routes.ts';
import type { FetchJson } from './auth/jwt/fetch-json.ts';
import { createJwtAuth } from './auth/jwt/routes.ts';
import type { ClusterReader } from './auth/kubernetes/cluster-reader.ts';
import { createKubernetesAuth } from './auth/kubernetes/routes.ts';
import type { ReadLocal, TokenReviewer } from './auth/kubernetes/token-reviewer.ts';
import { createTokenAuth } from './auth/token/routes.ts';
import { createUserpassAuth } from './auth/userpass/routes.ts';
import type { Catalogue } from './core/services.ts';
import { createCubbyhole } from './engines/cubbyhole/routes.ts';
import { createIdentity } from './engines/identity/routes.ts';
import { createKvV1 } from './engines/kv-v1/routes.ts';
import { createKvV2 } from './engines/kv-v2/routes.ts';
import { createPki } from './engines/pki/routes.ts';
import { createSys } from './engines/sys/routes.ts';
import { createTransit } from './engines/transit/routes.ts';

/** Every engine and auth method that can be mounted, by the type that people write. */
export function createCatalogue(o: {
  readonly review: TokenReviewer;
  readonly readLocal: ReadLocal;
  readonly fetchJson?: FetchJson;
  readonly fetchCrl?: FetchCrl;
  readonly readCluster?: ClusterReader;
}): Catalogue {
  const { fetchJson = noNetwork, fetchCrl = noNetwork, readCluster = noNetwork } = o;
  return {
    secret: {
      system: createSys,
      cubbyhole: createCubbyhole,
      identity: createIdentity,
      kv: ({ options }) => (options?.version === '2' ? createKvV2() : createKvV1()),
      pki: createPki,
      transit: createTransit,
    },
    auth: {
      token: createTokenAuth,
      approle: createAppRoleAuth,
      cert: () => createCertAuth(fetchCrl),
      jwt: () => createJwtAuth(fetchJson),
      userpass: createUserpassAuth,
      kubernetes: () => createKubernetesAuth({ ...o, readCluster }),
    },
  };
}

const noNetwork = (): Promise<never> => Promise.reject(new Error('this store reaches no provider'));
