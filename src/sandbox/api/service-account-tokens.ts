import { createHash, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { compactVerify, exportJWK, SignJWT } from 'jose';
import type { Clock } from '../../lib/clock.ts';
import { type Fields, isFields, textAt, textsAt } from './fields.ts';
import type { Store } from './store.ts';
import type { UserInfo } from './user.ts';

export const serviceAccountIssuer = 'https://kubernetes.default.svc';
const legacyIssuer = 'kubernetes/serviceaccount';

export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

export interface TokenSpec {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound?: BoundObject;
  /** The node of a bound pod. */
  readonly node?: { readonly name: string; readonly uid: string };
}

export interface VerifiedToken {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

export interface TokenOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** RSA (RS256) or P-256 (ES256), the private half. */
  readonly key: KeyObject;
}

/** A token that is not accepted; the message is what TokenReview shows. Never holds the token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/**
 * Signs and checks service account tokens of one cluster: bound tokens (TokenRequest, KEP-1205) and those of
 * `kubernetes.io/service-account-token` Secrets. A token lives no longer than the objects that it names.
 */
export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #algorithm: 'RS256' | 'ES256';
  readonly #keyId: string;
  /** Claims of tokens whose signature was good, by token hash: a signature does not change, the rest is checked anew. */
  readonly #checked = new Map<string, Fields>();

  constructor(options: TokenOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#key = options.key;
    this.#publicKey = createPublicKey(options.key);
    this.#algorithm = options.key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
    const der = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.#keyId = createHash('sha256').update(der).digest('base64url');
  }

  /** The public key as `/openid/v1/jwks` shows it. */
  async jwks(): Promise<Fields> {
    const jwk = await exportJWK(this.#publicKey);
    return { keys: [{ use: 'sig', ...jwk, kid: this.#keyId, alg: this.#algorithm }] };
  }

  discovery(jwksUri: string): Fields {
    return {
      issuer: serviceAccountIssuer,
      jwks_uri: jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.#algorithm],
    };
  }

  /** A bound token; `expires` in milliseconds since the epoch. */
  async issue(spec: TokenSpec): Promise<{ token: string; expires: number }> {
    const now = Math.floor(this.#clock.now() / 1000);
    const bound = spec.bound;
    const claims = {
      aud: [...spec.audiences],
      exp: now + spec.expirationSeconds,
      iat: now,
      iss: serviceAccountIssuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: spec.namespace,
        ...(spec.node === undefined ? {} : { node: spec.node }),
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name: spec.name, uid: spec.uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${spec.namespace}:${spec.name}`,
    };
    return { token: await this.#sign(claims), expires: claims.exp * 1000 };
  }

  /** The token of a Secret of type `kubernetes.io/service-account-token`; it does not expire. */
  async issueForSecret(namespace: string, secret: string, account: string, uid: string): Promise<string> {
    return await this.#sign({
      iss: legacyIssuer,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': account,
      'kubernetes.io/serviceaccount/service-account.uid': uid,
      sub: `system:serviceaccount:${namespace}:${account}`,
    });
  }

  /**
   * Who the token speaks for. `audiences` are those the asker stands for; the answer lists which of them matched.
   * @throws TokenError
   */
  async verify(token: string, audiences: readonly string[]): Promise<VerifiedToken> {
    const claims = await this.#claims(token);
    const legacy = claims.iss === legacyIssuer;
    const own = legacy ? [serviceAccountIssuer] : audiencesOf(claims);
    const matching = own.filter((audience) => audiences.includes(audience));
    if (matching.length === 0) {
      throw new TokenError(
        `token audiences ${quoted(own)} is invalid for the target audiences ${quoted(audiences)}`,
      );
    }
    return { user: legacy ? this.#legacyUser(claims) : this.#boundUser(claims), audiences: matching };
  }

  async #sign(claims: Record<string, unknown>): Promise<string> {
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: this.#algorithm, kid: this.#keyId })
      .sign(this.#key);
  }

  async #claims(token: string): Promise<Fields> {
    const id = createHash('sha256').update(token).digest('base64');
    const known = this.#checked.get(id);
    if (known !== undefined) return known;
    const claims = await this.#verifySignature(token);
    if (this.#checked.size > 4096) this.#checked.clear();
    this.#checked.set(id, claims);
    return claims;
  }

  async #verifySignature(token: string): Promise<Fields> {
    try {
      const { payload } = await compactVerify(token, this.#publicKey, { algorithms: [this.#algorithm] });
      const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
      if (isFields(claims) && [serviceAccountIssuer, legacyIssuer].includes(textAt(claims, 'iss')))
        return claims;
    } catch {
      // fall through: why a foreign token is not ours tells the sender nothing
    }
    throw new TokenError('invalid bearer token');
  }

  #boundUser(claims: Fields): UserInfo {
    const now = this.#clock.now() / 1000;
    if (Number(claims.exp) <= now) throw new TokenError('service account token has expired');
    if (Number(claims.nbf) > now + 60) throw new TokenError('service account token is not valid yet');
    const facts = claims['kubernetes.io'];
    const namespace = textAt(facts, 'namespace');
    const name = textAt(facts, 'serviceaccount', 'name');
    const uid = textAt(facts, 'serviceaccount', 'uid');
    this.#mustLive('serviceaccounts', namespace, name, uid);
    const extra: Record<string, string[]> = {
      'authentication.kubernetes.io/credential-id': [`JTI=${textAt(claims, 'jti')}`],
    };
    for (const [key, resource] of boundResources) {
      if (!isFields(facts) || !isFields(facts[key])) continue;
      const bound = { name: textAt(facts, key, 'name'), uid: textAt(facts, key, 'uid') };
      // the node beside a pod only informs: the pod itself goes when its node does
      const informs = key === 'node' && isFields(facts.pod);
      if (!informs) this.#mustLive(resource, key === 'node' ? '' : namespace, bound.name, bound.uid);
      if (key === 'secret') continue;
      extra[`authentication.kubernetes.io/${key}-name`] = [bound.name];
      extra[`authentication.kubernetes.io/${key}-uid`] = [bound.uid];
    }
    return serviceAccountUser(namespace, name, uid, extra);
  }

  #legacyUser(claims: Fields): UserInfo {
    const claim = (key: string): string => textAt(claims, `kubernetes.io/serviceaccount/${key}`);
    const namespace = claim('namespace');
    const name = claim('service-account.name');
    const uid = claim('service-account.uid');
    this.#mustLive('serviceaccounts', namespace, name, uid);
    const secret = this.#store.get('secrets', namespace, claim('secret.name'));
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) {
      throw new TokenError('service account token has been invalidated');
    }
    return serviceAccountUser(namespace, name, uid);
  }

  #mustLive(resource: string, namespace: string, name: string, uid: string): void {
    const metadata = this.#store.get(resource, namespace, name)?.metadata;
    const deleted = metadata?.deletionTimestamp;
    // a pod may use its token until the kubelet has stopped it; KEP-1205 gives a minute of grace
    const gone = deleted !== undefined && Date.parse(deleted) + 60_000 < this.#clock.now();
    if (metadata?.uid !== uid || gone) throw new TokenError('service account token has been invalidated');
  }
}

const boundResources = [
  ['pod', 'pods'],
  ['secret', 'secrets'],
  ['node', 'nodes'],
] as const;

const quoted = (texts: readonly string[]): string => `[${texts.map((t) => JSON.stringify(t)).join(' ')}]`;

function audiencesOf(claims: Fields): string[] {
  return typeof claims.aud === 'string' ? [claims.aud] : textsAt(claims, 'aud');
}

/** The user that a service account is, with the groups that Kubernetes gives it. */
export function serviceAccountUser(
  namespace: string,
  name: string,
  uid: string,
  extra?: Record<string, string[]>,
): UserInfo {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    ...(extra === undefined ? {} : { extra }),
  };
}
