import { toSeconds } from '../vault/core/fields.ts';
import { refuse } from '../vault/core/refusal.ts';

/** Seconds of X-Vault-Wrap-TTL. @throws Refusal 400 */
export function wrapTtlOf(header: string): number {
  try {
    const seconds = toSeconds(header);
    if (seconds < 0) throw new Error('requested wrap ttl cannot be negative');
    return seconds;
  } catch (error) {
    throw refuse(`error parsing X-Vault-Wrap-TTL header: ${error instanceof Error ? error.message : error}`);
  }
}
