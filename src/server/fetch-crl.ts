import type { FetchCrl } from '../vault/auth/cert/fetch-crl.ts';
import { fetchBytes } from './fetch-bytes.ts';

/** As long as the parser takes them. */
const maxBytes = 16 * 1024 * 1024;

/** GET of a revocation list, DER or PEM. No redirects. Throws otherwise, in upstream's words for a wrong status. */
export const createCrlFetcher = (): FetchCrl => (url) =>
  fetchBytes(url, {
    maxBytes,
    wrongStatus: (status) => `unexpected response code ${status} fetching CRL from ${url}`,
  });
