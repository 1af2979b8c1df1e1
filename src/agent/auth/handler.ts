import type { VaultAuth } from '../../client/vault-response.ts';
import type { Clock } from '../../lib/clock.ts';
import { goDuration } from '../../lib/duration.ts';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { Secret } from '../../lib/secret.ts';
import type { MethodSettings } from '../config/config.ts';
import { hintField } from '../hint-field.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { VaultAccess } from '../vault-access.ts';
import { Backoff } from './backoff.ts';
import { loginHint } from './login-hint.ts';
import { loginSpreadMs } from './login-spread.ts';
import { type AuthMethod, authMethod, type ClientTls } from './method.ts';
import { renewalWait } from './renewal.ts';
import { renewalDue } from './renewal-due.ts';
import { wrapInfo } from './wrap-info.ts';

export interface HandlerOptions {
  readonly settings: MethodSettings;
  readonly access: VaultAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: AgentMetrics;
  /** A connection with a client certificate of its own, for the method `cert`. */
  readonly accessWith: (tls: ClientTls) => Promise<VaultAccess>;
  /** Called when the store did not answer a login, sealed or not there. */
  readonly onStoreDown?: () => Promise<void>;
  /** Called while a login is on its way. */
  readonly onLoginSent?: () => void;
  /** Called with each new token; with `wrapped`, it is the text of a wrapping token, for the sink alone. */
  readonly onToken: (token: Secret<string>, wrapped: boolean) => void;
}

interface Login {
  readonly token: Secret<string>;
  readonly wrapped?: boolean;
  /** Milliseconds; 0 for a token that does not expire. */
  readonly ttlMs: number;
  readonly renewable: boolean;
}

/** Logs in, keeps the token alive, logs in again when it ends; until the signal is aborted. */
export class AuthHandler {
  readonly #options: HandlerOptions;
  readonly #method: AuthMethod;
  readonly #backoff: Backoff;
  readonly #spreadMs: number;
  /** The token in use, and what ends the wait with it. */
  #current: { readonly token: Secret<string>; readonly over: AbortController } | undefined;
  #asking = false;
  /** Milliseconds since the epoch. */
  #certificateEndsAt: number | undefined;
  #otherCertificates: AbortController | undefined;
  /** Connection with the certificate of the method. */
  #own: VaultAccess | undefined;

  constructor(options: HandlerOptions) {
    const { settings, random } = options;
    this.#options = options;
    this.#method = authMethod(settings);
    this.#backoff = new Backoff(settings.minBackoffMs, settings.maxBackoffMs, random);
    this.#spreadMs = loginSpreadMs(settings);
  }

  /** @throws MeshrootError when a login fails and `exit_on_err` is set */
  async run(signal: AbortSignal): Promise<void> {
    const { log, onToken, clock, random } = this.#options;
    log.info('starting auth handler');
    if (this.#spreadMs > 0) await clock.sleep(this.#spreadMs * random(), signal).catch(() => {});
    while (!signal.aborted) {
      const login = await this.#authenticate(signal);
      if (login === undefined) continue;
      this.#backoff.reset();
      this.#options.metrics.count('vault_agent_auth_success');
      this.#options.metrics.set('vault_agent_authenticated', 1);
      log.info(
        login.wrapped === true
          ? 'authentication successful, sending wrapped token to sinks and pausing'
          : 'authentication successful, sending token to sinks',
      );
      onToken(login.token, login.wrapped === true);
      if (login.wrapped === true) {
        await this.#pause(signal);
        continue;
      }
      log.info('starting renewal process');
      const over = new AbortController();
      this.#current = { token: login.token, over };
      const end = (): void => over.abort();
      signal.addEventListener('abort', end, { once: true });
      this.#watchCredentials(over);
      if (!signal.aborted) await this.#keepAlive(login, signal, over.signal);
      over.abort();
      signal.removeEventListener('abort', end);
      this.#current = undefined;
    }
    this.#own?.close();
    log.info('auth handler stopped');
  }

  /** What one reader may open holds nothing to renew, and each further login would leave a token behind: none without a reason. */
  async #pause(signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await (this.#method.changed?.(this.#options.clock, signal) ?? ended).catch(() => {});
  }

  /** New credentials end the wait with the token, so that they are used at once. */
  #watchCredentials(over: AbortController): void {
    const watching = this.#method.changed?.(this.#options.clock, over.signal);
    watching?.then(
      () => {
        this.#options.log.info('new credentials, re-authenticating');
        over.abort();
      },
      () => {}, // the token ended before
    );
  }

  /**
   * A read was refused: asks the store whether the token still lives, and logs in again at once when it does not. Waiting
   * for the next renewal could take most of the token's life.
   */
  async suspect(): Promise<void> {
    const current = this.#current;
    if (current === undefined || this.#asking) return;
    this.#asking = true;
    try {
      const client = this.#options.access.client(current.token);
      const { status } = await client.request('GET', 'auth/token/lookup-self');
      if (status !== 403 || this.#current !== current) return;
      this.#options.log.warn('the token is not accepted any more, re-authenticating');
      current.over.abort();
    } catch {
      // no answer: whoever reads or renews next will say so
    } finally {
      this.#asking = false;
    }
  }

  /**
   * Told when the first of the certificates that were read ends (milliseconds since the epoch): the token is renewed before,
   * so that one which is no good any more is found while there is time for another.
   */
  certificatesEnd(at: number | undefined): void {
    if (at === this.#certificateEndsAt) return;
    this.#certificateEndsAt = at;
    this.#otherCertificates?.abort();
  }

  async #authenticate(signal: AbortSignal): Promise<Login | undefined> {
    const { log, clock, settings } = this.#options;
    log.info('authenticating');
    try {
      return await this.#login();
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#options.metrics.count('vault_agent_auth_failure');
      this.#options.metrics.set('vault_agent_authenticated', 0);
      if (settings.exitOnError) {
        log.error('error authenticating and exit_on_err is set', { error: messageOf(error) });
        throw error;
      }
      const wait = this.#backoff.next();
      log.error('error authenticating', {
        error: messageOf(error),
        backoff: seconds(wait),
        ...refusalHint(settings, error),
      });
      if (isDown(error)) await this.#options.onStoreDown?.();
      await clock.sleep(wait, signal).catch(() => {});
      return undefined;
    }
  }

  async #login(): Promise<Login> {
    const { settings } = this.#options;
    const access = await this.#access();
    const credentials = await this.#method.credentials(access);
    if (credentials.kind === 'token') return this.#lookup(credentials.token);
    const data = Object.fromEntries(
      Object.entries(credentials.data).map(([k, v]) => [k, v instanceof Secret ? v.reveal() : v]),
    );
    if (settings.wrapTtlMs !== undefined)
      return this.#wrappedLogin(access, credentials.path, data, settings.wrapTtlMs);
    const sent = access.client().write(credentials.path, data);
    this.#options.onLoginSent?.();
    const response = await sent;
    const { auth } = response ?? {};
    if (auth === undefined || auth === null || auth.client_token === '')
      throw new MeshrootError('auth-empty', 'authentication returned nil auth info', { exit: 1 });
    return { ...lifeOf(auth), token: new Secret(auth.client_token) };
  }

  /** The connection for logins: that of everything else, or one with the certificate of the method. */
  async #access(): Promise<VaultAccess> {
    const { tls } = this.#method;
    if (tls === undefined) return this.#options.access;
    if (this.#own === undefined || tls.reload) {
      this.#own?.close();
      this.#own = await this.#options.accessWith(tls);
    }
    return this.#own;
  }

  async #wrappedLogin(access: VaultAccess, path: string, data: object, ttlMs: number): Promise<Login> {
    const headers = { 'X-Vault-Wrap-TTL': `${Math.round(ttlMs / 1000)}s` };
    const { status, body } = await access.client().request('PUT', path, data, headers);
    const info = wrapInfo(body);
    if (info === undefined)
      throw new MeshrootError('auth-empty', `authentication returned nil wrap info (status ${status})`, {
        exit: 1,
      });
    return { token: new Secret(JSON.stringify(info)), wrapped: true, ttlMs, renewable: false };
  }

  async #lookup(token: Secret<string>): Promise<Login> {
    const response = await this.#options.access.client(token).read('auth/token/lookup-self');
    const ttl = Number(response?.data?.ttl ?? 0);
    return { token, ttlMs: ttl * 1000, renewable: response?.data?.renewable === true };
  }

  /** Renews at once and then at about two thirds of what is left; returns when the token is about to end. */
  async #keepAlive(login: Login, signal: AbortSignal, either: AbortSignal): Promise<void> {
    const { log, clock, random } = this.#options;
    let life: Omit<Login, 'token'> | undefined = login;
    let left = login.ttlMs;
    while (!either.aborted && life !== undefined) {
      if (life.renewable) {
        life = await this.#renew(login.token, either);
        if (life === undefined) break;
        left = life.ttlMs;
      }
      if (life.renewable) {
        await this.#untilRenewal(left, either);
        continue;
      }
      const wait = renewalWait(left, false, random());
      if (wait !== undefined) await clock.sleep(wait, either).catch(() => {});
      break;
    }
    if (signal.aborted) log.info('shutdown triggered, stopping lifetime watcher');
    else log.info('lifetime watcher done channel triggered, re-authenticating');
  }

  /** Counts anew, from when the wait began, each time that other certificates were read. */
  async #untilRenewal(leftMs: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const [start, chance] = [clock.now(), random()];
    for (let recount = true; recount && !signal.aborted; ) {
      const other = new AbortController();
      this.#otherCertificates = other;
      const ends = { token: start + leftMs, certificate: this.#certificateEndsAt };
      const due = start + (renewalDue(ends, start, chance) ?? leftMs);
      const either = AbortSignal.any([signal, other.signal]);
      await clock.sleep(Math.max(0, due - clock.now()), either).catch(() => {});
      recount = other.signal.aborted;
    }
  }

  async #renew(token: Secret<string>, signal: AbortSignal): Promise<Omit<Login, 'token'> | undefined> {
    const { log, access } = this.#options;
    try {
      const response = await access.client(token).write('auth/token/renew-self', {});
      if (signal.aborted) return undefined;
      log.info('renewed auth token');
      return response?.auth === undefined || response.auth === null ? undefined : lifeOf(response.auth);
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn('error renewing token', { error: messageOf(error) });
      await this.#options.clock.sleep(this.#backoff.next(), signal).catch(() => {});
      return undefined;
    }
  }
}

function refusalHint(settings: MethodSettings, error: unknown): { readonly hint?: string } {
  const hint = error instanceof MeshrootError ? loginHint(settings, error.status) : undefined;
  return hint === undefined ? hintField(error) : { hint };
}

/** No answer, or one that says that nobody is at home; a refusal is an answer. */
function isDown(error: unknown): boolean {
  if (!(error instanceof MeshrootError)) return false;
  return error.code === 'vault-unreachable' || (error.status ?? 0) >= 500;
}

function lifeOf(auth: VaultAuth): Omit<Login, 'token'> {
  return { ttlMs: auth.lease_duration * 1000, renewable: auth.renewable && auth.lease_duration > 0 };
}

function seconds(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 10) / 100}s` : goDuration(ms);
}
