import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { denied, Refusal, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { globMatches } from '../../policy/parameters.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { checkTimes, readServiceAccountJwt, type ServiceAccountClaims } from './jwt.ts';
import type { LocalKeys } from './local-keys.ts';
import { labelsMatch, parseNamespaceSelector } from './namespace-selector.ts';
import { type KubernetesConfig, type KubernetesRole, readConfig, roles } from './store.ts';
import type { ReadLocal, TokenReviewer } from './token-reviewer.ts';

/** What reaches the cluster and the pod that the store runs in. */
export interface Cluster {
  readonly review: TokenReviewer;
  readonly readLocal: ReadLocal;
  readonly readCluster: ClusterReader;
  readonly keys: LocalKeys;
}

/**
 * A pod's service account token for a Vault token. The steps and their order are upstream's, so that a wrong login is
 * refused with the same words.
 * @throws Refusal
 */
export async function login(context: Context, cluster: Cluster): Promise<Result> {
  const { fields, store, clock, request } = context;
  const name = textOf(fields, 'role');
  const jwt = textOf(fields, 'jwt');
  if (name === '') throw refuse('missing role', 400, 'login-role-missing');
  if (jwt === '') throw refuse('missing jwt', 400, 'login-jwt-missing');
  const role = roles.read(store, name);
  if (role === undefined) throw refuse(`invalid role name "${name}"`, 400, 'login-role-unknown');
  if (!addressAllowed(request.remoteAddress, role.tokens.boundCidrs)) {
    throw denied('login-address', 'the role is bound to other addresses');
  }
  const stored = readConfig(store);
  if (stored === undefined) throw refuse('could not load backend configuration', 500, 'login-no-config');
  const config = withLocalCa(stored, cluster);
  const claims = await readClaims(config, jwt, cluster, clock);
  checkTimes(claims, clock.now());
  checkClaims(claims, role, config);
  await checkNamespace(claims, role, config, cluster);
  if (config.localJwks !== true) await checkReview(claims, role, config, jwt, cluster);
  return tokenFor(context, name.toLowerCase(), role, claims);
}

const withLocalCa = (config: KubernetesConfig, { readLocal }: Cluster): KubernetesConfig =>
  config.caCert === '' ? { ...config, caCert: readLocal('ca.crt') ?? '' } : config;

/** The reviewer's token, else the store's own pod's, else the client's. */
function bearerOf(config: KubernetesConfig, jwt: string, { readLocal }: Cluster): string {
  return config.reviewerJwt || (config.disableLocalCaJwt ? undefined : readLocal('token')) || jwt;
}

/** Without any keys the signature is not looked at here: the TokenReview decides. */
async function readClaims(
  config: KubernetesConfig,
  jwt: string,
  cluster: Cluster,
  clock: Clock,
): Promise<ServiceAccountClaims> {
  if (config.pemKeys.length > 0 || config.localJwks !== true) {
    return readServiceAccountJwt(jwt, config.pemKeys);
  }
  const bearer = bearerOf(config, jwt, cluster);
  const known = await cluster.keys.pems(config, bearer, clock);
  try {
    return readServiceAccountJwt(jwt, known);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'jwt-signature') throw error;
    return readServiceAccountJwt(jwt, await cluster.keys.pems(config, bearer, clock, true));
  }
}

function checkClaims(claims: ServiceAccountClaims, role: KubernetesRole, config: KubernetesConfig): void {
  if (!config.disableIssuerValidation && config.issuer !== '' && claims.issuer !== config.issuer) {
    throw refuse('invalid issuer (iss) claim', 403, 'jwt-issuer');
  }
  if (role.audience !== '' && !claims.audiences.includes(role.audience)) {
    const text = 'invalid audience (aud) claim: audience claim does not match any expected audience';
    throw refuse(text, 403, 'jwt-audience');
  }
  if (!role.names.some((pattern) => globMatches(pattern, claims.name))) {
    throw refuse('service account name not authorized', 403, 'service-account-not-authorized');
  }
}

/** By name, or by the labels that the namespace has in its cluster. */
async function checkNamespace(
  claims: ServiceAccountClaims,
  role: KubernetesRole,
  config: KubernetesConfig,
  { readCluster }: Cluster,
): Promise<void> {
  if (role.namespaces.some((pattern) => globMatches(pattern, claims.namespace))) return;
  const refused = (why: string): Refusal =>
    new Refusal(403, 'namespace-not-authorized', ['namespace not authorized'], why);
  const { namespaceSelector = '' } = role;
  if (namespaceSelector === '') throw refused('namespace not authorized');
  if (config.reviewerJwt === '') throw refused('a namespace selector needs a token_reviewer_jwt');
  const wanted = await parseNamespaceSelector(namespaceSelector);
  const path = `/api/v1/namespaces/${encodeURIComponent(claims.namespace)}`;
  const { host, caCert, reviewerJwt: bearer } = config;
  const namespace = await readCluster({ host, caCert, bearer, path }).catch((error: unknown) => {
    throw refused(`the namespace could not be read: ${messageOf(error)}`);
  });
  const { metadata } = (namespace ?? {}) as { metadata?: { labels?: unknown } };
  if (!labelsMatch(wanted, metadata?.labels)) throw refused('the labels of the namespace do not match');
}

async function checkReview(
  claims: ServiceAccountClaims,
  role: KubernetesRole,
  config: KubernetesConfig,
  jwt: string,
  cluster: Cluster,
): Promise<void> {
  const audiences = role.audience === '' ? claims.audiences : [role.audience];
  const { host, caCert } = config;
  const question = { host, caCert, bearer: bearerOf(config, jwt, cluster), token: jwt, audiences };
  const answer = await cluster.review(question).catch((error: unknown) => {
    throw denied('review-failed', `the TokenReview could not be made: ${messageOf(error)}`);
  });
  if (answer.error !== '') throw denied('review-error', `the TokenReview says: ${answer.error}`);
  if (!answer.authenticated)
    throw denied('review-unauthenticated', 'the API server does not know this token');
  if (audiences.length > 0 && !answer.audiences.some((audience) => audiences.includes(audience))) {
    throw denied('review-audience', 'the TokenReview names none of the wanted audiences');
  }
  if (
    answer.username !== `system:serviceaccount:${claims.namespace}:${claims.name}` ||
    answer.uid !== claims.uid
  ) {
    throw denied('review-identity', 'the reviewed identity is not the one in the token');
  }
}

function tokenFor(
  context: Context,
  name: string,
  role: KubernetesRole,
  claims: ServiceAccountClaims,
): Result {
  const identity = {
    service_account_name: claims.name,
    service_account_namespace: claims.namespace,
    service_account_secret_name: claims.secretName,
    service_account_uid: claims.uid,
  };
  const isByName = role.aliasNameSource === 'serviceaccount_name';
  return issueLogin(context, {
    tokens: role.tokens,
    displayName: `${claims.namespace}-${claims.name}`,
    meta: { role: name, ...identity },
    alias: { name: isByName ? `${claims.namespace}/${claims.name}` : claims.uid, metadata: identity },
    role: name,
  });
}
