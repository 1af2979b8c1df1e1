import type { FetchJson } from '../vault/auth/jwt/fetch-json.ts';
import { fetchBytes } from './fetch-bytes.ts';

const options = {
  accept: 'application/json',
  maxBytes: 1024 * 1024,
  wrongStatus: (status: number | undefined): string => `the provider answered ${status}`,
};

/** GET of a small JSON document; only the given CA is trusted if there is one. No redirects. Throws otherwise. */
export const createJsonFetcher =
  (): FetchJson =>
  async ({ url, caPem }) =>
    JSON.parse((await fetchBytes(url, { ...options, caPem })).toString('utf8'));
