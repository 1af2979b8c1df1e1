import type { AuditRecord } from './audit-record.ts';

/** Why Vault said no, in words that a dashboard can group by. */
export type DenialReason =
  | 'policy'
  | 'token-expired'
  | 'token-unknown'
  | 'no-token'
  | 'wrong-service-account'
  | 'wrong-namespace'
  | 'wrong-audience'
  | 'login-token-expired'
  | 'login-not-accepted'
  | 'login-refused'
  | 'other';

/** One refusal: who was refused where, and why. */
export interface Denial {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly mount: string;
  /** The role of the login that the token came from, or that a refused login asked for; empty when nothing tells. */
  readonly role: string;
  readonly reason: DenialReason;
  readonly path: string;
  readonly operation: string;
  /** Display name of the token, such as `kubernetes-cluster2-istio-system-istiod`. */
  readonly who: string;
  readonly requestId: string;
}

/** What a login taught us of a token that is known only by its HMAC. */
interface KnownToken {
  readonly role: string;
  readonly who: string;
  /** Milliseconds since the epoch; Infinity = does not end. */
  readonly endsAt: number;
}

/** Logins remembered; the oldest are forgotten first. */
const remembered = 50_000;

/**
 * Turns audit records into denials. Vault's own log cannot say "this token has expired": such a request has neither
 * role nor name. The HMAC of the token can be followed back to the login that handed it out, and that tells.
 */
export class DenialClassifier {
  readonly #tokens = new Map<string, KnownToken>();

  /** The denial that `record` reports, or undefined. Feed every record, in order. */
  classify(record: AuditRecord): Denial | undefined {
    if (record.type !== 'response') return undefined;
    this.#learn(record);
    const reason = this.#reason(record);
    if (reason === undefined) return undefined;
    const known = record.token === undefined ? undefined : this.#tokens.get(record.token);
    return {
      time: record.time,
      mount: record.mount,
      role: record.auth?.role ?? known?.role ?? record.askedRole ?? '',
      reason,
      path: record.path,
      operation: record.operation,
      who: record.auth?.displayName || known?.who || '',
      requestId: record.requestId,
    };
  }

  #learn({ granted, time }: AuditRecord): void {
    if (granted?.token === undefined) return;
    const endsAt = granted.ttl > 0 ? time + granted.ttl * 1000 : Number.POSITIVE_INFINITY;
    this.#tokens.set(granted.token, { role: granted.role ?? '', who: granted.displayName, endsAt });
    if (this.#tokens.size <= remembered) return;
    const [oldest] = this.#tokens.keys();
    if (oldest !== undefined) this.#tokens.delete(oldest);
  }

  #reason(record: AuditRecord): DenialReason | undefined {
    if (isLogin(record)) return loginReason(record);
    if (!record.error.includes('permission denied')) return undefined;
    if (record.auth?.allowed === false) return 'policy';
    if (record.auth !== undefined && record.accessor !== undefined) return 'policy';
    if (record.token === undefined) return 'no-token';
    const known = this.#tokens.get(record.token);
    return known !== undefined && known.endsAt <= record.time ? 'token-expired' : 'token-unknown';
  }
}

const isLogin = ({ path }: AuditRecord): boolean => /^auth\/.+\/login(\/|$)/.test(path);

/** Texts of the Kubernetes auth method, each with the reason behind it. */
const loginTexts: ReadonlyArray<readonly [string, DenialReason]> = [
  ['service account name not authorized', 'wrong-service-account'],
  ['namespace not authorized', 'wrong-namespace'],
  ['(aud) claim', 'wrong-audience'],
  ['(exp) claim', 'login-token-expired'],
  // The cluster did not confirm the token: bad signature, deleted account, no right to ask, cluster not reachable.
  ['permission denied', 'login-not-accepted'],
];

function loginReason({ error, granted }: AuditRecord): DenialReason | undefined {
  const known = loginTexts.find(([text]) => error.includes(text));
  if (known !== undefined) return known[1];
  if (error !== '') return 'other';
  return granted === undefined ? 'login-refused' : undefined; // a plain 400 leaves no text in the log
}
