import { fullPath, type MountSeen } from './mount-entry.ts';
import { Refusal } from './refusal.ts';
import type { VaultRequest } from './request.ts';
import type { StorageView } from './storage.ts';

/** As stored. Times in seconds. */
export interface RateQuota {
  readonly name: string;
  /** '' = everything; else the mount's full path, perhaps with what follows it. */
  readonly path: string;
  /** Of a login; '' = any. */
  readonly role: string;
  /** Requests of one address within `interval`. */
  readonly rate: number;
  readonly interval: number;
  /** How long an address that had too many is refused; 0 = until the interval is over. */
  readonly block_interval: number;
  readonly inheritable: boolean;
}

export interface QuotaConfig {
  readonly enable_rate_limit_audit_logging: boolean;
  readonly enable_rate_limit_response_headers: boolean;
  readonly rate_limit_exempt_paths: readonly string[];
}

export const quotaPrefix = 'core/quotas/rate-limit/';
export const quotaConfigPath = 'core/quotas/config';

export const defaultQuotaConfig: QuotaConfig = {
  enable_rate_limit_audit_logging: false,
  enable_rate_limit_response_headers: false,
  rate_limit_exempt_paths: [
    'sys/generate-recovery-token/attempt',
    'sys/generate-recovery-token/update',
    'sys/generate-root/attempt',
    'sys/generate-root/update',
    'sys/health',
    'sys/seal-status',
    'sys/unseal',
  ],
};

/** What one address used of one quota. Milliseconds. */
interface Window {
  readonly ends: number;
  used: number;
  blockedUntil: number;
}

export interface QuotaAnswer {
  readonly refusal: Refusal | undefined;
  /** Of the quota that counted. */
  readonly name: string;
  /** Upstream's names; sent only when the configuration says so. */
  readonly headers: Readonly<Record<string, string>>;
}

const free: QuotaAnswer = { refusal: undefined, name: '', headers: {} };
const maxWindows = 100_000;

/** Limits of requests by address. Of all quotas that fit a request only the most specific one counts. */
export class RateQuotas {
  readonly #quotas = new Map<string, RateQuota>();
  readonly #windows = new Map<string, Window>();
  config: QuotaConfig = defaultQuotaConfig;

  load(store: StorageView): void {
    this.config = store.get<QuotaConfig>(quotaConfigPath) ?? defaultQuotaConfig;
    for (const name of store.list(quotaPrefix)) {
      const quota = store.get<RateQuota>(quotaPrefix + name);
      if (quota !== undefined) this.#quotas.set(name, quota);
    }
  }

  set(quota: RateQuota): void {
    this.#quotas.set(quota.name, quota);
    this.#forget(quota.name);
  }

  delete(name: string): void {
    this.#quotas.delete(name);
    this.#forget(name);
  }

  get(name: string): RateQuota | undefined {
    return this.#quotas.get(name);
  }

  all(): readonly RateQuota[] {
    return [...this.#quotas.values()];
  }

  /** Counts a request. @param now milliseconds */
  admit(request: VaultRequest, mounted: MountSeen | undefined, now: number): QuotaAnswer {
    if (
      this.#quotas.size === 0 ||
      this.config.rate_limit_exempt_paths.some((path) => covers(path, request.path))
    )
      return free;
    const quota = this.#find(request, mounted);
    if (quota === undefined) return free;
    const window = this.#window(quota, request.remoteAddress, now);
    const limit = Math.max(1, Math.round(quota.rate));
    const isBlocked = window.blockedUntil > now;
    const allowed = !isBlocked && window.used < limit;
    if (allowed) window.used++;
    else if (!isBlocked && quota.block_interval > 0) window.blockedUntil = now + quota.block_interval * 1000;
    const reset = Math.max(0, Math.ceil((Math.max(window.ends, window.blockedUntil) - now) / 1000));
    return {
      refusal: allowed ? undefined : tooMany(request.path),
      name: quota.name,
      headers: {
        'X-Ratelimit-Limit': String(limit),
        'X-Ratelimit-Remaining': String(allowed ? limit - window.used : 0),
        'X-Ratelimit-Reset': String(reset),
        ...(allowed ? {} : { 'Retry-After': String(reset) }),
      },
    };
  }

  /** Role before longer path before everything. */
  #find(request: VaultRequest, mounted: MountSeen | undefined): RateQuota | undefined {
    const role = typeof request.data.role === 'string' ? request.data.role : '';
    const isLogin = mounted?.entry.kind === 'auth' && request.path === `${fullPath(mounted.entry)}login`;
    let best: RateQuota | undefined;
    for (const quota of this.#quotas.values()) {
      if (quota.role !== '' && !(isLogin && quota.role === role)) continue;
      if (!`${request.path}/`.startsWith(quota.path === '' ? '' : quota.path.replace(/\/?$/, '/'))) continue;
      if (best === undefined || rank(quota) > rank(best)) best = quota;
    }
    return best;
  }

  #window({ name, interval }: RateQuota, address: string, now: number): Window {
    const key = `${name}\0${address}`;
    const known = this.#windows.get(key);
    if (known !== undefined && (known.ends > now || known.blockedUntil > now)) return known;
    const window: Window = { ends: now + interval * 1000, used: 0, blockedUntil: 0 };
    this.#windows.delete(key);
    this.#windows.set(key, window);
    if (this.#windows.size > maxWindows) this.#dropOldest();
    return window;
  }

  #dropOldest(): void {
    for (const key of this.#windows.keys()) {
      this.#windows.delete(key);
      return;
    }
  }

  #forget(name: string): void {
    for (const key of this.#windows.keys()) if (key.startsWith(`${name}\0`)) this.#windows.delete(key);
  }
}

const rank = ({ role, path }: RateQuota): number => (role === '' ? 0 : 10_000) + path.length;

/** A trailing star takes everything behind. */
const covers = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

const tooMany = (path: string): Refusal =>
  new Refusal(429, 'rate-limited', [`request path "${path}": rate limit quota exceeded`]);
