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
import type { JwksPair, JwtConfig } from './store.ts';

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

interface Provider extends JwksPair {
  /** `url` is where OpenID Connect discovery begins. */
  readonly discovers: boolean;
}

function providersOf(config: JwtConfig): Provider[] {
  const { discoveryUrl, discoveryCaPem, jwksUrl, jwksCaPem, jwksPairs = [] } = config;
  if (discoveryUrl !== '') return [{ url: discoveryUrl, caPem: discoveryCaPem, discovers: true }];
  const pairs = jwksUrl === '' ? jwksPairs : [{ url: jwksUrl, caPem: jwksCaPem }];
  return pairs.map((pair) => ({ ...pair, discovers: false }));
}

/** The keys that may have signed a token, of whatever source is configured. */
export class KeySource {
  readonly #fetch: FetchJson;
  readonly #known = new Map<string, Known>();

  constructor(fetch: FetchJson) {
    this.#fetch = fetch;
  }

  /** Static keys, or what the providers publish. Throws when none of them can be reached. */
  async keys(
    config: JwtConfig,
    clock: Clock,
    token?: FlattenedJWSInput,
  ): Promise<readonly (KeyObject | LocalSet)[]> {
    if (config.publicKeys.length > 0) return config.publicKeys.map((pem) => createPublicKey(pem));
    const asked = await Promise.allSettled(
      providersOf(config).map((provider) => this.#set(provider, clock, token)),
    );
    const sets = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = asked.find((one) => one.status === 'rejected');
    if (sets.length === 0 && failed !== undefined) throw failed.reason;
    return sets;
  }

  /** Throws when a provider cannot be reached. */
  async check(config: JwtConfig, clock: Clock): Promise<void> {
    await Promise.all(providersOf(config).map((provider) => this.#set(provider, clock)));
  }

  async #set(provider: Provider, clock: Clock, token?: FlattenedJWSInput): Promise<LocalSet> {
    const cacheKey = JSON.stringify(provider);
    const known = this.#known.get(cacheKey);
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at;
    if (known !== undefined && age < freshMs && (age < cooldownMs || (await has(known.set, token)))) {
      return known.set;
    }
    let set: LocalSet;
    try {
      set = createLocalJWKSet(await this.#load(provider));
    } catch (error) {
      if (known !== undefined && age < staleMs) return known.set;
      throw error;
    }
    if (this.#known.size > 100) this.#known.clear();
    this.#known.set(cacheKey, { at: clock.now(), set });
    return set;
  }

  async #load(provider: Provider): Promise<JSONWebKeySet> {
    const { url, caPem } = provider;
    if (!provider.discovers) return keySetOf(await this.#fetch({ url, caPem }));
    const { jwksUri } = await this.#discover(provider);
    return keySetOf(await this.#fetch({ url: jwksUri, caPem }));
  }

  /** OpenID Connect Discovery 1.0. Throws when the document is not the provider's own. */
  async #discover({ url: base, caPem }: Provider): Promise<{ readonly jwksUri: string }> {
    const url = `${base.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const document = (await this.#fetch({ url, caPem })) as Record<string, unknown> | null;
    const issuer = document?.issuer;
    if (issuer !== base) {
      throw new Error(
        `issuer did not match the issuer returned by provider, expected "${base}" got "${issuer}"`,
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
