import type { Clock } from '../../lib/clock.ts';
import type { LockoutConfig } from './mount-entry.ts';
import { denied } from './refusal.ts';

export interface LockoutRule {
  /** Failures until a user is locked. */
  readonly threshold: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly counterReset: number;
}

const minutes = 60_000;
/** Vault's defaults. */
export const defaultLockout: LockoutRule = {
  threshold: 5,
  duration: 15 * minutes,
  counterReset: 15 * minutes,
};
const maxUsers = 100_000;

interface Failures {
  readonly count: number;
  readonly last: number;
}

/**
 * Users who failed to log in, in memory: five wrong passwords in a quarter of an hour lock a user for as long. Users are
 * known by mount and by the name as the method keeps it, so that another spelling is no way around.
 */
export class UserLockout {
  readonly #failures = new Map<string, Failures>();
  readonly #configOf: (mount: string) => LockoutConfig | undefined;

  /** @param configOf what the mount with this accessor was tuned to */
  constructor(configOf: (mount: string) => LockoutConfig | undefined = () => undefined) {
    this.#configOf = configOf;
  }

  #rule(mount: string): LockoutRule {
    const { threshold, duration, counterReset, disabled } = this.#configOf(mount) ?? {};
    return {
      threshold: disabled === true ? Number.POSITIVE_INFINITY : threshold || defaultLockout.threshold,
      duration: duration ? duration * 1000 : defaultLockout.duration,
      counterReset: counterReset ? counterReset * 1000 : defaultLockout.counterReset,
    };
  }

  /** @throws Refusal 403 while the user is locked, without saying so on the wire */
  check(mount: string, user: string, clock: Clock): void {
    if (this.#isLocked(mount, this.#failures.get(keyOf(mount, user)), clock)) {
      throw denied('user-locked', 'the user is locked after too many failed logins');
    }
  }

  #isLocked(mount: string, known: Failures | undefined, clock: Clock): boolean {
    const { threshold, duration } = this.#rule(mount);
    return known !== undefined && known.count >= threshold && clock.now() - known.last < duration;
  }

  /** Who is locked now. */
  locked(clock: Clock): { readonly mount: string; readonly user: string }[] {
    return [...this.#failures].flatMap(([key, known]) => {
      const [mount = '', user = ''] = key.split('\0');
      return this.#isLocked(mount, known, clock) ? [{ mount, user }] : [];
    });
  }

  unlock(mount: string, user: string): void {
    this.#failures.delete(keyOf(mount, user));
  }

  failed(mount: string, user: string, clock: Clock): void {
    const key = keyOf(mount, user);
    const known = this.#failures.get(key);
    const now = clock.now();
    const { threshold, duration, counterReset } = this.#rule(mount);
    const window = known !== undefined && known.count >= threshold ? duration : counterReset;
    const count = known !== undefined && now - known.last < window ? known.count + 1 : 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, last: now });
    if (this.#failures.size > maxUsers) this.#dropOldest();
  }

  succeeded(mount: string, user: string): void {
    this.#failures.delete(keyOf(mount, user));
  }

  #dropOldest(): void {
    for (const key of this.#failures.keys()) {
      this.#failures.delete(key);
      return;
    }
  }
}

const keyOf = (mount: string, user: string): string => `${mount}\0${user}`;
