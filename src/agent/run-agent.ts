import { rm, writeFile } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import type { OpenApi } from './api/open-api.ts';
import { FileSink } from './auth/file-sink.ts';
import { AuthHandler } from './auth/handler.ts';
import type { ClientTls } from './auth/method.ts';
import type { AgentConfig } from './config/config.ts';
import { AgentMetrics } from './metrics.ts';
import type { SetVerifier } from './sets/verifier.ts';
import { Supervisor } from './supervisor.ts';
import { TemplateServer } from './template-server.ts';
import { type VaultAccess, vaultAccess } from './vault-access.ts';

export interface RunAgentOptions {
  readonly config: AgentConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly verifiers: readonly SetVerifier[];
  /** Ends the agent in good order. */
  readonly signal: AbortSignal;
  /** Called once, with what to do on SIGHUP: certificates of listeners and towards the store are read anew. */
  readonly onReloadable?: (reload: () => Promise<void>) => void;
}

/**
 * Runs an agent: logs in, writes sinks, renders templates; until the signal is aborted, or with `exit_after_auth` until
 * everything was written once.
 * @returns the exit code: 0, or that of the supervised process
 * @throws MeshrootError when it cannot go on; its `exit` is 1
 */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  const { config } = options;
  for (const warning of config.warnings) options.log.warn(warning);
  if (config.pidFile !== undefined) await writeFile(config.pidFile, `${process.pid}`, { mode: 0o600 });
  const access = await vaultAccess(config.vault, options.clock);
  try {
    return await new Agent(options, access).run();
  } finally {
    access.close();
    if (config.pidFile !== undefined) await rm(config.pidFile, { force: true });
  }
}

class Agent {
  readonly #o: RunAgentOptions;
  readonly #access: VaultAccess;
  readonly #sinks: readonly FileSink[];
  readonly #templates: TemplateServer;
  readonly #stop = new AbortController();
  readonly #supervisor: Supervisor | undefined;
  readonly #metrics = new AgentMetrics();
  #handler: AuthHandler | undefined;
  #token: Secret<string> | undefined;
  #exitCode = 0;
  #triedLastGood = false;
  #failure: unknown;
  /** The rendering with the newest token; a new token ends the former one's. */
  #serving: { readonly end: AbortController; readonly done: Promise<void> } | undefined;
  #tokens: Promise<void> = Promise.resolve();

  constructor(options: RunAgentOptions, access: VaultAccess) {
    const log = options.log.named('sink.file');
    this.#o = options;
    this.#access = access;
    this.#sinks = options.config.sinks.map((sink) => new FileSink(sink, log));
    this.#supervisor = this.#supervise(options);
    this.#templates = new TemplateServer({
      ...options,
      access,
      metrics: this.#metrics,
      onCertificates: (endAt) => this.#handler?.certificatesEnd(endAt),
      onDenied: () => void this.#handler?.suspect(),
      setVariable: (name, value) => this.#supervisor?.set(name, value),
    });
  }

  #supervise({ config, env, clock, log }: RunAgentOptions): Supervisor | undefined {
    const { exec, templates } = config;
    if (exec === undefined) return undefined;
    return new Supervisor({
      settings: exec,
      names: templates.flatMap(({ envName }) => envName ?? []),
      env,
      clock,
      log: log.named('exec.server'),
      onExit: (code) => {
        this.#exitCode = code;
        this.#stop.abort();
      },
      onError: (error) => this.#fail(error),
    });
  }

  async run(): Promise<number> {
    this.#handler = this.#authHandler();
    for (const sink of this.#sinks) await sink.check();
    const { log, signal } = this.#o;
    const stop = (): void => this.#stop.abort();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    await this.#templates.start();
    const api = await this.#openApi();
    this.#o.onReloadable?.(async () => {
      await this.#access.reload();
      await api?.reload();
    });
    log.named('sink.server').info('starting sink server');
    try {
      await this.#loggedIn();
      await this.#tokens;
      await this.#serving?.done;
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#supervisor?.stop();
      await this.#templates.close();
      await this.#revoke();
      await api?.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#exitCode;
  }

  /** Undefined without an `auto_auth` block: whoever asks at the listeners brings a token. */
  #authHandler(): AuthHandler | undefined {
    const { config, clock, random, log } = this.#o;
    const { method } = config;
    if (method === undefined) return undefined;
    return new AuthHandler({
      settings: method,
      access: this.#access,
      clock,
      random,
      log: log.named('auth.handler'),
      metrics: this.#metrics,
      onLoginSent: () => this.#templates.prepare(),
      onStoreDown: () => this.#useLastGood(),
      accessWith: (tls) => vaultAccess({ ...config.vault, ...withoutEmpty(tls) }, clock),
      onToken: (token, wrapped) => {
        this.#tokens = this.#tokens
          .then(() => this.#useToken(token, wrapped))
          .catch((error) => this.#fail(error));
      },
    });
  }

  /** Resolves when the agent is to end. */
  async #loggedIn(): Promise<void> {
    const { signal } = this.#stop;
    if (this.#handler !== undefined)
      return this.#handler.run(signal).catch((error: unknown) => this.#fail(error));
    this.#o.log.info('no auto_auth block found in config, nobody is logged in');
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  /** Once: as long as no token came, what was good last stands in. */
  async #useLastGood(): Promise<void> {
    const { config, log } = this.#o;
    if (this.#token !== undefined || this.#triedLastGood) return;
    this.#triedLastGood = true;
    if (!(await this.#templates.serveLastGood()) || !config.exitAfterAuth) return;
    log.warn('finished with the last good copy, exiting');
    this.#stop.abort();
  }

  async #openApi(): Promise<OpenApi | undefined> {
    const { config, log, clock, random } = this.#o;
    if (config.listeners.length === 0) return undefined;
    const { openApi } = await import('./api/open-api.ts');
    return openApi({
      config,
      metrics: this.#metrics,
      token: () => this.#token,
      clock,
      random,
      log: log.named('api'),
      quit: () => this.#stop.abort(),
    });
  }

  /** With `revoke_on_shutdown`: the token does not outlive the pod. One that the store issued to somebody else stays. */
  async #revoke(): Promise<void> {
    const { method } = this.#o.config;
    if (method?.revokeOnShutdown !== true || method.type === 'token_file' || this.#token === undefined)
      return;
    const log = this.#o.log.named('auth.handler');
    try {
      await this.#access.client(this.#token).write('auth/token/revoke-self', {});
      log.info('revoked auth token');
    } catch (error) {
      log.warn('the auth token could not be revoked, it ends by itself', { error: messageOf(error) });
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stop.abort();
  }

  async #useToken(token: Secret<string>, wrapped: boolean): Promise<void> {
    const { config, log } = this.#o;
    if (this.#stop.signal.aborted) return;
    if (!wrapped) this.#token = token;
    const sinkLog = log.named('sink.server');
    for (const sink of this.#sinks) await this.#writeSink(sink, token, sinkLog);
    if (this.#stop.signal.aborted) return;
    if (config.exitAfterAuth) {
      sinkLog.info('sink server stopped');
      log.info('sinks finished, exiting');
    }
    if (!wrapped) await this.#serve(token);
    else if (config.exitAfterAuth) this.#stop.abort();
  }

  /** Tries about every two seconds until it works or the agent ends: a full disk may be emptied. */
  async #writeSink(sink: FileSink, token: Secret<string>, log: Logger): Promise<void> {
    const { clock, random } = this.#o;
    while (!this.#stop.signal.aborted) {
      try {
        return await sink.write(token, this.#access);
      } catch (error) {
        const wait = 1000 + 2000 * random();
        log.error('error returned by sink function, retrying', {
          error: messageOf(error),
          backoff: `${Math.round(wait)}ms`,
        });
        await clock.sleep(wait, this.#stop.signal).catch(() => {});
      }
    }
  }

  async #serve(token: Secret<string>): Promise<void> {
    const { config, log } = this.#o;
    this.#serving?.end.abort();
    await this.#serving?.done;
    const end = new AbortController();
    const stop = (): void => end.abort();
    this.#stop.signal.addEventListener('abort', stop, { once: true });
    const done = this.#render(token, end.signal)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#stop.signal.removeEventListener('abort', stop));
    this.#serving = { end, done };
    if (!config.exitAfterAuth) return;
    await done;
    log.info('(runner) received finish');
    this.#stop.abort();
  }

  async #render(token: Secret<string>, signal: AbortSignal): Promise<void> {
    if (this.#o.config.templates.length === 0) return;
    await this.#templates.serve(token, signal);
    if (this.#o.config.exitAfterAuth || this.#stop.signal.aborted) this.#templates.stopped();
  }
}

function withoutEmpty(tls: ClientTls): Partial<ClientTls> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
