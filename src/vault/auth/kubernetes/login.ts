import { messageOf } from '../../../lib/errors.ts';
import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { globMatches } from '../../policy/parameters.ts';
import { checkTimes, readServiceAccountJwt, type ServiceAccountClaims } from './jwt.ts';
import { type KubernetesConfig, type KubernetesRole, readConfig, readRole } from './store.ts';
import type { ReadLocal, TokenReviewer } from './token-reviewer.ts';

/**
 * A pod's service account token for a Vault token. The steps and their order are upstream's, so that a wrong login is
 * refused with the same words.
 * @throws Refusal
 */
export async function login(context: Context, review: TokenReviewer, readLocal: ReadLocal): Promise<Result> {
  const { fields, store, clock, request } = context;
  const name = textOf(fields, 'role');
  const jwt = textOf(fields, 'jwt');
  if (name === '') throw refuse('missing role', 400, 'login-role-missing');
  if (jwt === '') throw refuse('missing jwt', 400, 'login-jwt-missing');
  const role = readRole(store, name);
  if (role === undefined) throw refuse(`invalid role name "${name}"`, 400, 'login-role-unknown');
  if (!addressAllowed(request.remoteAddress, role.tokens.boundCidrs)) {
    throw denied('login-address', 'the role is bound to other addresses');
  }
  const config = readConfig(store);
  if (config === undefined) throw refuse('could not load backend configuration', 500, 'login-no-config');
  const claims = readServiceAccountJwt(jwt, config.pemKeys);
  checkTimes(claims, clock.now());
  checkClaims(claims, role, config);
  await checkReview(claims, role, config, jwt, review, readLocal);
  return tokenFor(context, name.toLowerCase(), role, claims);
}

function checkClaims(claims: ServiceAccountClaims, role: KubernetesRole, config: KubernetesConfig): void {
  if (!config.disableIssuerValidation && config.issuer !== '' && claims.issuer !== config.issuer) {
    throw refuse('invalid issuer (iss) claim', 403, 'jwt-issuer');
  }
  if (role.audience !== '' && !claims.audiences.includes(role.audience)) {
    const text = 'invalid audience (aud) claim: audience claim does not match any expected audience';
    throw refuse(text, 403, 'jwt-audience');
  }
  if (!role.namespaces.some((pattern) => globMatches(pattern, claims.namespace))) {
    throw refuse('namespace not authorized', 403, 'namespace-not-authorized');
  }
  if (!role.names.some((pattern) => globMatches(pattern, claims.name))) {
    throw refuse('service account name not authorized', 403, 'service-account-not-authorized');
  }
}

async function checkReview(
  claims: ServiceAccountClaims,
  role: KubernetesRole,
  config: KubernetesConfig,
  jwt: string,
  review: TokenReviewer,
  readLocal: ReadLocal,
): Promise<void> {
  const audiences = role.audience === '' ? claims.audiences : [role.audience];
  const local = config.disableLocalCaJwt ? undefined : readLocal('token');
  const answer = await review({
    host: config.host,
    caCert: config.caCert === '' ? (readLocal('ca.crt') ?? '') : config.caCert,
    bearer: config.reviewerJwt || local || jwt,
    token: jwt,
    audiences,
  }).catch((error: unknown) => {
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
