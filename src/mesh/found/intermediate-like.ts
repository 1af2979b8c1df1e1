import { days, parseDuration } from '../../lib/duration.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { type FoundKeyType, keyTypeOf } from '../../x509/keys.ts';
import type { CaCertificate } from './cert-manager.ts';

/** Words of mesh.yaml for the next intermediate, like the one that was found. */
export interface IntermediateWords {
  readonly keyType: 'ec-p256' | 'ec-p384' | 'rsa-4096';
  readonly ttl: string;
  readonly renewAt?: number;
}

/** The longest that is taken over: half of the root that meshroot makes, so that it can be renewed in time. */
const longest = days(5 * 365);
const usual = days(90);

/**
 * What the next intermediate should be like.
 * @param ca the intermediate in use
 * @param request how cert-manager makes it, where it does
 * @param root what it must not outlive
 */
export function intermediateLike(
  ca: Certificate | undefined,
  request: CaCertificate | undefined,
  root: Certificate | undefined,
  now: number,
): IntermediateWords {
  if (ca !== undefined) {
    return { keyType: nearest(keyTypeOf(ca.publicKey)), ttl: fitting(ca.notAfter - ca.notBefore, root, now) };
  }
  if (request === undefined) return { keyType: 'ec-p256', ttl: fitting(usual, root, now) };
  const duration = milliseconds(request.duration);
  const before = milliseconds(request.renewBefore);
  const renewAt = duration > 0 && before > 0 ? Math.round((1 - before / duration) * 100) / 100 : 0;
  return {
    keyType: nearest(request.algorithm === 'ECDSA' ? (`ec-p${request.size}` as FoundKeyType) : undefined),
    ttl: fitting(duration, root, now),
    ...(renewAt > 0.1 && renewAt < 0.95 && { renewAt }),
  };
}

/** meshroot makes three kinds of CA keys; a weaker one becomes the next stronger. */
function nearest(type: FoundKeyType | undefined): IntermediateWords['keyType'] {
  if (type === 'ec-p256' || type === 'ed25519') return 'ec-p256';
  return type === 'ec-p384' || type === 'ec-p521' ? 'ec-p384' : 'rsa-4096';
}

/** Whole days; what does not fit into the rest of the root becomes the usual, or half of that rest. */
function fitting(wanted: number, root: Certificate | undefined, now: number): string {
  const left = root === undefined || root.notAfter <= now ? longest : root.notAfter - now;
  const most = Math.min(left, longest);
  const ttl = wanted >= days(1) && wanted <= most ? wanted : Math.min(usual, most / 2);
  return ttl >= days(1) ? `${Math.floor(ttl / days(1))}d` : `${Math.max(1, Math.floor(ttl / 60_000))}m`;
}

function milliseconds(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return 0;
  }
}
