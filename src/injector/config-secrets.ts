import { isRecord } from '../lib/records.ts';

/** Settings whose value is the secret itself; those that name a file of it end in `_path` or `_file`. */
const secretKey = /(^|_)(password|passphrase|secret|secret_id|secret_key|access_key|token|jwt|credentials)$/;

/** A private key, a token of Vault, a user with a password in an address. */
const secretText =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bhv[sbr]\.[A-Za-z0-9_-]{20,}|:\/\/[^/\s:@]+:[^/\s@]+@/;

/**
 * The first place of an agent's configuration that holds what looks like a secret, e.g. `auto_auth.method.config.password`;
 * undefined: none. A configuration made of annotations should name files and paths only.
 */
export function secretIn(config: unknown, at = ''): string | undefined {
  if (typeof config === 'string') return secretText.test(config) ? at : undefined;
  if (typeof config !== 'object' || config === null) return undefined;
  for (const [key, value] of Object.entries(config)) {
    const place = Array.isArray(config) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`;
    if (isRecord(config) && typeof value === 'string' && value !== '' && secretKey.test(key)) return place;
    const found = secretIn(value, place);
    if (found !== undefined) return found;
  }
  return undefined;
}
