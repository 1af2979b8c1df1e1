import { constants, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { isRecord } from '../../../lib/records.ts';
import { denied, refuse } from '../../core/refusal.ts';

/** What a service account's token says. Times in seconds. */
export interface ServiceAccountClaims {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly secretName: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

const algorithms: Readonly<Record<string, { readonly hash: string; readonly ec: boolean }>> = {
  RS256: { hash: 'sha256', ec: false },
  RS384: { hash: 'sha384', ec: false },
  RS512: { hash: 'sha512', ec: false },
  ES256: { hash: 'sha256', ec: true },
  ES384: { hash: 'sha384', ec: true },
  ES512: { hash: 'sha512', ec: true },
};
const leewaySeconds = 60;
const maxJwtBytes = 16 * 1024;

/**
 * Reads a service account's JWT; its signature is checked only against `keys`, and not at all without any (the
 * TokenReview does that).
 * @throws Refusal 403, or 500 without a uid, as Vault
 */
export function readServiceAccountJwt(jwt: string, keys: readonly string[]): ServiceAccountClaims {
  if (jwt.length > maxJwtBytes) throw denied('jwt-malformed', 'the token is too long');
  const [head = '', body = '', signature = '', ...more] = jwt.split('.');
  const header = decode(head);
  const claims = decode(body);
  if (header === undefined || claims === undefined || signature === '' || more.length > 0) {
    throw denied('jwt-malformed', 'the token is not a JWT');
  }
  const algorithm =
    typeof header.alg === 'string' && Object.hasOwn(algorithms, header.alg) ? header.alg : undefined;
  if (algorithm === undefined) throw denied('jwt-algorithm', `the token's algorithm is not accepted`);
  if (keys.length > 0 && !keys.some((pem) => signedBy(pem, algorithm, `${head}.${body}`, signature))) {
    throw denied('jwt-signature', 'no configured key made the signature');
  }
  return toClaims(claims);
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isClaims(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isClaims(value: unknown): value is Claims {
  return isRecord(value);
}

function signedBy(pem: string, algorithm: string, signed: string, signature: string): boolean {
  const facts = algorithms[algorithm];
  try {
    const key = keyOf(pem);
    if (facts === undefined || (key.asymmetricKeyType === 'ec') !== facts.ec) return false;
    const options = facts.ec
      ? { key, dsaEncoding: 'ieee-p1363' as const }
      : { key, padding: constants.RSA_PKCS1_PADDING };
    return verify(facts.hash, Buffer.from(signed), options, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

const maxKeys = 500;
const imported = new Map<string, KeyObject>();

/** Importing a key costs more than the signature's check: each text is imported once. Throws when it holds no key. */
function keyOf(pem: string): KeyObject {
  const known = imported.get(pem);
  if (known !== undefined) return known;
  const key = pem.includes('CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
  if (imported.size >= maxKeys) imported.clear();
  imported.set(pem, key);
  return key;
}

/** Projected tokens have an object `kubernetes.io`, tokens of secrets flat claims. */
function toClaims(claims: Claims): ServiceAccountClaims {
  const projected = isClaims(claims['kubernetes.io']) ? claims['kubernetes.io'] : {};
  const account = isClaims(projected.serviceaccount) ? projected.serviceaccount : {};
  const flat = (name: string): unknown => claims[`kubernetes.io/serviceaccount/${name}`];
  const uid = text(account.uid ?? flat('service-account.uid'));
  if (uid === '') throw refuse('could not parse UID from claims', 500, 'jwt-uid');
  return {
    uid,
    namespace: text(projected.namespace ?? flat('namespace')),
    name: text(account.name ?? flat('service-account.name')),
    secretName: text(flat('secret.name')),
    issuer: text(claims.iss),
    audiences: Array.isArray(claims.aud)
      ? claims.aud.map(String)
      : claims.aud === undefined
        ? []
        : [text(claims.aud)],
    expires: time(claims.exp),
    notBefore: time(claims.nbf),
    issuedAt: time(claims.iat),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const time = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** @param now milliseconds @throws Refusal 403 with the texts of section 7519's Go library, which Vault shows */
export function checkTimes(claims: ServiceAccountClaims, now: number): void {
  const seconds = now / 1000;
  if (claims.expires !== undefined && seconds >= claims.expires + leewaySeconds) {
    throw refuse('invalid expiration time (exp) claim: token is expired', 403, 'jwt-expired');
  }
  if (claims.notBefore !== undefined && seconds < claims.notBefore - leewaySeconds) {
    throw refuse('invalid not before (nbf) claim: token not yet valid', 403, 'jwt-not-yet-valid');
  }
  if (claims.issuedAt !== undefined && seconds < claims.issuedAt - leewaySeconds) {
    throw refuse('invalid issued at (iat) claim: token issued in the future', 403, 'jwt-issued-in-future');
  }
}
