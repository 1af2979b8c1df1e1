import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  createLocalJWKSet,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import type { Clock } from '../../../lib/clock.ts';
import { isRecord } from '../../../lib/records.ts';
import type { FetchJson } from './fetch-json.ts';
import type { JwtConfig } from './store.ts';

type LocalSet = ReturnType<typeof createLocalJWKSet>;

/** Keys of a provider are asked for again after this, and once more for an unknown key id, but not more often. */
const freshMs = 5 * 60_000;
const cooldownMs = 10_000;
/** So long the known keys are good while the provider is away. */
const staleMs = 60 * 60_000;

interface Known {
  readonly at: number;
  readonly set: LocalSet;
}

/** The keys that may have signed a token, of whatever source is configured. */
export class KeySource {
  readonly #fetch: FetchJson;
  readonly #known = new Map<string, Known>();

  constructor(fetch: FetchJson) {
    this.#fetch = fetch;
  }

  /** Static keys, or what the provider publishes. Throws when the provider cannot be reached. */
  async keys(
    config: JwtConfig,
    clock: Clock,
    token?: FlattenedJWSInput,
  ): Promise<readonly (KeyObject | LocalSet)[]> {
    if (config.publicKeys.length > 0) return config.publicKeys.map((pem) => createPublicKey(pem));
    const cacheKey = JSON.stringify([
      config.jwksUrl,
      config.jwksCaPem,
      config.discoveryUrl,
      config.discoveryCaPem,
    ]);
    const known = this.#known.get(cacheKey);
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at;
    if (known !== undefined && age < freshMs && (age < cooldownMs || (await has(known.set, token)))) {
      return [known.set];
    }
    let set: LocalSet;
    try {
      set = createLocalJWKSet(await this.#load(config));
    } catch (error) {
      if (known !== undefined && age < staleMs) return [known.set];
      throw error;
    }
    if (this.#known.size > 100) this.#known.clear();
    this.#known.set(cacheKey, { at: clock.now(), set });
    return [set];
  }

  async #load(config: JwtConfig): Promise<JSONWebKeySet> {
    if (config.jwksUrl !== '') {
      return keySetOf(await this.#fetch({ url: config.jwksUrl, caPem: config.jwksCaPem }));
    }
    const { jwksUri } = await this.discover(config);
    return keySetOf(await this.#fetch({ url: jwksUri, caPem: config.discoveryCaPem }));
  }

  /** OpenID Connect Discovery 1.0. Throws when the document is not the provider's own. */
  async discover(config: JwtConfig): Promise<{ readonly jwksUri: string }> {
    const url = `${config.discoveryUrl.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const document = (await this.#fetch({ url, caPem: config.discoveryCaPem })) as Record<
      string,
      unknown
    > | null;
    const issuer = document?.issuer;
    if (issuer !== config.discoveryUrl) {
      throw new Error(
        `issuer did not match the issuer returned by provider, expected "${config.discoveryUrl}" got "${issuer}"`,
      );
    }
    if (typeof document?.jwks_uri !== 'string') throw new Error('the provider names no jwks_uri');
    return { jwksUri: document.jwks_uri };
  }
}

/** A document without keys is a set of none, as upstream reads it: it was reached, and verifies nothing. */
function keySetOf(document: unknown): JSONWebKeySet {
  return isRecord(document) && document.keys === undefined
    ? { keys: [] }
    : (document as unknown as JSONWebKeySet);
}

/** Whether a key fits the token's header; several are as good as one. */
async function has(set: LocalSet, token: FlattenedJWSInput | undefined): Promise<boolean> {
  if (token?.protected === undefined) return true;
  try {
    const text = Buffer.from(token.protected, 'base64url').toString('utf8');
    await set(JSON.parse(text) as JWSHeaderParameters, token);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS';
  }
}
