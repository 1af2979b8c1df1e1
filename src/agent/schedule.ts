import { renewalWait } from './auth/renewal.ts';
import { renewalDue } from './auth/renewal-due.ts';
import { certificateEnd } from './certificate-end.ts';
import type { TemplateConfig } from './config/config.ts';
import type { Fetched } from './fetch.ts';
import { GoMap, type GoStruct, JsonNumber } from './template/values.ts';

/**
 * When to read a dependency again, in milliseconds from now. Two things differ from upstream:
 * a KV version 1 secret, which comes with a nominal lease of 32 days, is read again after
 * `static_secret_render_interval` at the latest, so that a rotation arrives; and what holds certificates is read again before
 * the first of them ends, however long the interval is. The token's end is not looked at: a new token reads all anew.
 * @param random 0 to 1
 * @param now milliseconds since the epoch
 */
export function nextRead(fetched: Fetched, config: TemplateConfig, random: number, now: number): number {
  const usual = usualRead(fetched, config, random, now);
  const certificate = certificateEndOf(fetched);
  return Math.min(usual, renewalDue({ token: undefined, certificate }, now, random) ?? usual);
}

/** When the first certificate of what was read into a file ends, milliseconds since the epoch. */
export function certificateEndOf(fetched: Fetched): number | undefined {
  return fetched.kind === 'secret' && fetched.secret.leaseId === ''
    ? certificateEnd(fetched.secret.value)
    : undefined;
}

function usualRead(fetched: Fetched, config: TemplateConfig, random: number, now: number): number {
  const jitter = 0.85 + 0.1 * random;
  const interval = config.staticSecretRenderIntervalMs;
  if (fetched.kind === 'file') return Math.min(interval, 2000);
  if (fetched.kind === 'pems') return Math.max(0, fetched.renewAt - now);
  if (fetched.kind === 'list') return interval * jitter;
  const { leaseId, token, leaseDuration, renewable } = fetched.secret;
  const isHeld = leaseId !== '' || token !== undefined;
  const own = isHeld ? undefined : ownEnd(fetched.secret.value, now);
  if (own !== undefined) return own.exact ? own.left : Math.max(1000, own.left * jitter);
  if (leaseDuration <= 0 && token === undefined) return interval * jitter;
  if (!isHeld) return Math.min(leaseDuration * 1000 * jitter, interval * jitter);
  if (renewable || leaseDuration <= 0) return renewalWait(leaseDuration * 1000, true, random) ?? 0;
  return leaseDuration * 1000 * (config.leaseRenewalThreshold - 0.05 + 0.1 * random);
}

/** When an answer without a lease ends, which says so itself, in milliseconds from now; undefined for others. */
function ownEnd(secret: GoStruct, now: number): { readonly left: number; readonly exact?: true } | undefined {
  const data = secret.fields.get('Data');
  const number = (having: string, key: string): number | undefined => {
    const found = data instanceof GoMap && data.entries.has(having) ? data.entries.get(key) : undefined;
    return found instanceof JsonNumber ? Number(found.text) : undefined;
  };
  const ttl = number('rotation_period', 'ttl'); // of static roles: just after the store has changed it
  if (ttl !== undefined) return { left: (ttl + 1) * 1000, exact: true };
  const secretId = number('secret_id', 'secret_id_ttl');
  if (secretId !== undefined && secretId > 0) return { left: (secretId + 1) * 1000 };
  const expiration = number('certificate', 'expiration'); // `pki/issue`
  return expiration === undefined ? undefined : { left: Math.max(0, expiration * 1000 - now) };
}
