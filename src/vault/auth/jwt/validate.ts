import { compactVerify, errors, type FlattenedJWSInput } from 'jose';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import { isRecord } from '../../../lib/records.ts';
import { type Refusal, refuse } from '../../core/refusal.ts';
import type { Claims } from './claims.ts';
import type { KeySource } from './key-source.ts';
import { algorithms } from './schema.ts';
import type { JwtConfig, JwtRole } from './store.ts';

const defaultLeeway = 150;
const defaultSkew = 60;
const maxJwtBytes = 64 * 1024;

const wrong = (reason: string, code: string): Refusal =>
  refuse(`error validating token: ${reason}`, 400, code);

/** A token's claims, when a configured key signed them and they are for this issuer, role and time. @throws Refusal 400 */
export async function validateJwt(
  jwt: string,
  config: JwtConfig,
  role: JwtRole,
  keys: KeySource,
  clock: Clock,
): Promise<Claims> {
  const claims = await verifySignature(jwt, config, keys, clock);
  const issuer = config.boundIssuer === '' ? config.discoveryUrl : config.boundIssuer;
  if (issuer !== '' && claims.iss !== issuer) throw wrong('invalid issuer (iss) claim', 'jwt-issuer');
  if (role.boundSubject !== '' && claims.sub !== role.boundSubject) {
    throw wrong('invalid subject (sub) claim', 'jwt-subject');
  }
  checkAudience(claims, role);
  checkTimes(claims, role, clock.now() / 1000);
  return claims;
}

async function verifySignature(
  jwt: string,
  config: JwtConfig,
  keys: KeySource,
  clock: Clock,
): Promise<Claims> {
  const [head = '', payload = '', signature = '', ...more] = jwt.split('.');
  if (signature === '' || more.length > 0 || jwt.length > maxJwtBytes) {
    throw wrong('error verifying token: the token is not a signed JWT', 'jwt-malformed');
  }
  const input: FlattenedJWSInput = { protected: head, payload, signature };
  const allowed = config.algorithms.length > 0 ? [...config.algorithms] : [...algorithms];
  let candidates: Awaited<ReturnType<KeySource['keys']>>;
  try {
    candidates = await keys.keys(config, clock, input);
  } catch (error) {
    throw wrong(`error verifying token signature: fetching keys ${messageOf(error)}`, 'jwt-keys');
  }
  for (const key of candidates) {
    const found = await tryKey(jwt, key, allowed);
    if (found !== undefined) return found;
  }
  const reason =
    config.publicKeys.length > 0
      ? 'no known key successfully validated the token signature'
      : 'failed to verify id token signature';
  throw wrong(`error verifying token signature: ${reason}`, 'jwt-signature');
}

async function tryKey(
  jwt: string,
  key: Awaited<ReturnType<KeySource['keys']>>[number],
  allowed: string[],
): Promise<Claims | undefined> {
  try {
    const options = { algorithms: allowed };
    const { payload } =
      typeof key === 'function'
        ? await compactVerify(jwt, key, options)
        : await compactVerify(jwt, key, options);
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    if (isRecord(claims)) return claims as Claims;
    return undefined;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return undefined;
    for await (const one of error) {
      const { payload } = await compactVerify(jwt, one, { algorithms: allowed }).catch(() => ({
        payload: undefined,
      }));
      if (payload !== undefined) return JSON.parse(Buffer.from(payload).toString('utf8')) as Claims;
    }
    return undefined;
  }
}

export const audiencesOf = ({ aud }: Claims): readonly string[] =>
  Array.isArray(aud) ? aud.map(String) : typeof aud === 'string' ? [aud] : [];

function checkAudience(claims: Claims, { boundAudiences }: JwtRole): void {
  const audiences = audiencesOf(claims);
  if (boundAudiences.length === 0 || boundAudiences.some((one) => audiences.includes(one))) return;
  const text = 'invalid audience (aud) claim: audience claim does not match any expected audience';
  throw wrong(text, 'jwt-audience');
}

/** A missing end or beginning is worked out of what is there. @param now seconds */
function checkTimes(claims: Claims, role: JwtRole, now: number): void {
  const [iat, nbf, exp] = [time(claims.iat), time(claims.nbf), time(claims.exp)];
  if (iat === undefined && nbf === undefined && exp === undefined) {
    const text = 'no issued at (iat), not before (nbf), or expiration time (exp) claims in token';
    throw wrong(text, 'jwt-times');
  }
  const expLeeway = leeway(role.expirationLeeway, defaultLeeway);
  const nbfLeeway = leeway(role.notBeforeLeeway, defaultLeeway);
  const skew = leeway(role.clockSkewLeeway, defaultSkew);
  const end = exp ?? Math.max(iat ?? 0, nbf ?? 0) + expLeeway;
  const start = nbf ?? iat ?? (exp ?? 0) - nbfLeeway;
  if (now - skew > end) {
    throw wrong('invalid expiration time (exp) claim: token is expired', 'jwt-expired');
  }
  if (now + skew < start) {
    throw wrong('invalid not before (nbf) claim: token not yet valid', 'jwt-not-yet-valid');
  }
  if (iat !== undefined && now + skew < iat) {
    throw wrong('invalid issued at (iat) claim: token issued in the future', 'jwt-issued-in-future');
  }
}

const time = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const leeway = (set: number, otherwise: number): number => (set === 0 ? otherwise : Math.max(0, set));
