import { MeshrootError } from '../lib/errors.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { type JoinMark, joinMark } from './ca-join.ts';
import { CaRefusal, unauthenticated } from './ca-refusal.ts';
import type { PodRef, ReviewToken } from './ca-token-review.ts';
import { parseServiceAccountUser, parseSpiffeUri, type SpiffeIdentity, spiffeUri } from './identity.ts';

/** What a call brings along to say who makes it. */
export interface Evidence {
  /** DER of the client certificate, only when the connection verified it against the roots of that moment. */
  readonly certificate?: Buffer | undefined;
  /** The connection showed one that has ended, which counts as none. */
  readonly expired?: boolean | undefined;
  /** The `authorization` header. */
  readonly authorization?: string | undefined;
  /** The `clusterid` header; empty means "this cluster". */
  readonly clusterId?: string | undefined;
}

export interface Caller {
  /** What goes into the certificate, all of it and nothing else. */
  readonly uris: readonly string[];
  readonly via: 'certificate' | 'token';
  /** The cluster that vouched for it. */
  readonly clusterId: string;
  readonly account?: Omit<SpiffeIdentity, 'trustDomain'>;
  readonly pod?: PodRef | undefined;
  /** Of a token that is bound to no pod: a machine's, which may join once. Worked out for who counts them. */
  readonly join?: () => JoinMark;
}

export interface AuthenticateOptions {
  readonly trustDomain: string;
  readonly clusterId: string;
  readonly audiences: readonly string[];
  readonly review: ReviewToken;
  /** Further clusters by name, each with what reviews its tokens. */
  readonly remotes?: ReadonlyMap<string, { readonly review: ReviewToken }> | undefined;
}

/**
 * Who calls: by client certificate, else by bearer token; the first that succeeds wins, as in istiod.
 * @throws CaRefusal 16 `request authenticate failure`, 14 when the token cannot be reviewed just now
 */
export async function authenticate(
  evidence: Evidence,
  options: AuthenticateOptions,
  now: number,
): Promise<Caller> {
  const reasons: string[] = evidence.expired ? [expired] : [];
  if (evidence.certificate !== undefined) {
    const result = byCertificate(evidence.certificate, options, now);
    if (typeof result !== 'string') return result;
    reasons.push(result);
  }
  const result = await byToken(evidence, options);
  if (typeof result !== 'string') return result;
  throw refused([...reasons, result].join('; '), evidence);
}

const expired = 'the client certificate has expired';

/** Who shows only a certificate that has ended was known once, and is told the way back. */
function refused(reason: string, { authorization }: Evidence): CaRefusal {
  const { message } = unauthenticated(reason);
  if (authorization !== undefined || !reason.startsWith(expired)) return unauthenticated(reason);
  return new CaRefusal('unauthenticated', `${message}: ${expired}, join again with a new token`, reason);
}

/** Renewal: the identity of the certificate in hand, nothing more. */
function byCertificate(
  der: Buffer,
  { trustDomain, clusterId }: AuthenticateOptions,
  now: number,
): Caller | string {
  try {
    const { sans, notAfter, notBefore } = parseCertificate(der);
    if (now > notAfter || now < notBefore) return expired; // the connection may be older
    const [uri, ...more] = sans.uri;
    if (uri === undefined || more.length > 0) return 'the client certificate must have exactly one URI name';
    const identity = parseSpiffeUri(uri);
    if (identity === undefined) return `the client certificate names no workload: ${uri}`;
    if (identity.trustDomain !== trustDomain)
      return `the client certificate is of trust domain ${identity.trustDomain}`;
    return { uris: [uri], via: 'certificate', clusterId };
  } catch (error) {
    if (error instanceof MeshrootError) return `the client certificate cannot be read: ${error.message}`;
    throw error;
  }
}

async function byToken(evidence: Evidence, options: AuthenticateOptions): Promise<Caller | string> {
  const token = bearerToken(evidence.authorization);
  if (token === undefined) return 'no bearer token exists in the request';
  const clusterId = evidence.clusterId || options.clusterId;
  const review = clusterId === options.clusterId ? options.review : options.remotes?.get(clusterId)?.review;
  if (review === undefined) {
    const served = [options.clusterId, ...(options.remotes?.keys() ?? [])].join('", "');
    return `client claims to be in cluster "${clusterId}", but only "${served}" is served here`;
  }
  const verdict = await review(token, options.audiences);
  if (!verdict.authenticated) return `the token is not accepted: ${verdict.error ?? 'not authenticated'}`;
  if (!verdict.groups.includes('system:serviceaccounts')) return 'the token is not a service account token';
  const account = parseServiceAccountUser(verdict.username);
  if (account === undefined) return `"${verdict.username}" is not a service account`;
  const uri = spiffeUri({ trustDomain: options.trustDomain, ...account });
  if (parseSpiffeUri(uri) === undefined) return `${uri} is not a SPIFFE ID`;
  const { pod } = verdict;
  return {
    uris: [uri],
    via: 'token',
    clusterId,
    account,
    pod,
    ...(pod ? {} : { join: () => joinMark(token) }),
  };
}

/** The token of `Bearer <token>`; `Istio <token>` is for HTTP only, in istiod too. */
function bearerToken(header: string | undefined): string | undefined {
  const [, token] = /^Bearer (\S+)$/.exec(header ?? '') ?? [];
  if (token !== undefined && token.length > 65_536)
    throw new CaRefusal('unauthenticated', 'request authenticate failure', 'the token is too long');
  return token;
}
