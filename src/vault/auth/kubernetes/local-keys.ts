import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import { denied } from '../../core/refusal.ts';
import type { ClusterReader } from './cluster-reader.ts';
import type { KubernetesConfig } from './store.ts';

const freshMs = 5 * 60_000;
/** So often at most for tokens that no known key signed. */
const cooldownMs = 10_000;
/** So long the known keys are good while the API server is away. */
const staleMs = 60 * 60_000;
const maxClusters = 100;

interface Known {
  readonly at: number;
  readonly pems: readonly string[];
}

/** The keys with which API servers sign service account tokens, as they publish them; asked for every five minutes. */
export class LocalKeys {
  readonly #read: ClusterReader;
  readonly #known = new Map<string, Known>();

  constructor(read: ClusterReader) {
    this.#read = read;
  }

  /**
   * PEM. @param anew what is known did not do: asks again unless that was just now
   * @throws Refusal 403 when the API server cannot be asked and has not answered for an hour
   */
  async pems(
    { host, caCert }: KubernetesConfig,
    bearer: string,
    clock: Clock,
    anew = false,
  ): Promise<readonly string[]> {
    const key = `${host}\n${caCert}`;
    const known = this.#known.get(key);
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at;
    if (known !== undefined && age < (anew ? cooldownMs : freshMs)) return known.pems;
    try {
      const pems = pemsOf(await this.#read({ host, caCert, bearer, path: '/openid/v1/jwks' }));
      if (this.#known.size >= maxClusters) this.#known.clear();
      this.#known.set(key, { at: clock.now(), pems });
      return pems;
    } catch (error) {
      if (known !== undefined && age < staleMs) return known.pems;
      throw denied('jwks-failed', `the API server's keys could not be read: ${messageOf(error)}`);
    }
  }
}

function pemsOf(document: unknown): string[] {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('the document holds no keys');
  return keys.map((key: JsonWebKey) =>
    createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
  );
}
