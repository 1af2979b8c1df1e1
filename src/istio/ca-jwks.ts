import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { ReviewToken } from './ca-token-review.ts';

export interface JwksOptions {
  /** A file or an http(s) URL. */
  readonly source: string;
  readonly issuer: string;
  readonly clock: Clock;
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/**
 * Checks service-account tokens with the issuer's public keys alone, without asking an API server. A deleted pod's
 * token stays good until it expires: that is the price of not asking.
 * @throws MeshrootError `bad-jwks` when the key file cannot be used
 */
export async function jwksReviewer(options: JwksOptions): Promise<ReviewToken> {
  const { source, issuer, clock } = options;
  const remote = /^https?:\/\//.test(source);
  let keys = remote
    ? createRemoteJWKSet(new URL(source), { timeoutDuration: 4000 })
    : await keysOfFile(source);
  const check = async (token: string, audiences: readonly string[]) => {
    const currentDate = new Date(clock.now());
    return jwtVerify(token, keys, {
      issuer,
      audience: [...audiences],
      algorithms,
      currentDate,
      requiredClaims: ['exp', 'sub'],
    });
  };
  return async (token, audiences) => {
    try {
      return verdictOf(await check(token, audiences).catch(again));
    } catch (error) {
      if (isCallersFault(error)) return refused(error);
      throw error; // the key server cannot be reached: not the caller's fault
    }
    /** A key that is not known may have come since the file was read. */
    async function again(error: unknown) {
      if (remote || !(error instanceof errors.JWKSNoMatchingKey)) throw error;
      keys = await keysOfFile(source);
      return check(token, audiences);
    }
  };
}

function verdictOf({ payload }: { payload: JWTPayload }) {
  return {
    authenticated: true,
    username: payload.sub ?? '',
    groups: ['system:serviceaccounts', 'system:authenticated'],
    pod: boundPod.safeParse(payload).data?.['kubernetes.io'].pod,
    expiresAt: (payload.exp ?? 0) * 1000,
  };
}

/** The private claim in which Kubernetes names the pod of a token. */
const boundPod = z.object({
  'kubernetes.io': z.object({ pod: z.object({ name: z.string(), uid: z.string() }) }),
});

/** Everything that jose finds wrong with the token itself; not a key server that is away or answers rubbish. */
function isCallersFault(error: unknown): error is errors.JOSEError {
  const servers = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JWK_INVALID'];
  return error instanceof errors.JOSEError && !servers.includes(error.code);
}

function refused(error: Error) {
  return { authenticated: false, username: '', groups: [], error: error.message };
}

async function keysOfFile(path: string): Promise<JWTVerifyGetKey> {
  try {
    return createLocalJWKSet(keySet.parse(JSON.parse(await readFile(path, 'utf8'))));
  } catch (error) {
    throw new MeshrootError(
      'bad-jwks',
      `cannot use the keys of ${path}: ${messageOf(error).split('\n')[0]}`,
      {
        hint: 'it must be a JSON web key set: {"keys":[...]}, as kubectl get --raw /openid/v1/jwks prints it',
        cause: error,
      },
    );
  }
}
