import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { Backoff } from './auth/backoff.ts';
import type { AgentConfig } from './config/config.ts';
import { hintField } from './hint-field.ts';
import type { AgentMetrics } from './metrics.ts';
import { Runner } from './runner.ts';
import { AtomicSet } from './sets/atomic-set.ts';
import type { SetVerifier } from './sets/verifier.ts';
import { groupJobs, type JobGroup, readJobs } from './template-job.ts';
import type { VaultAccess } from './vault-access.ts';

export interface TemplateServerOptions {
  readonly config: AgentConfig;
  readonly access: VaultAccess;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly verifiers: readonly SetVerifier[];
  readonly metrics: AgentMetrics;
  readonly onDenied?: () => void;
  readonly setVariable?: (name: string, value: string) => void;
}

/** Runs the templates with the newest token: once in an init container, for good in a sidecar. */
export class TemplateServer {
  readonly #o: TemplateServerOptions;
  readonly #log: Logger;
  readonly #sets = new Map<string, AtomicSet>();
  #groups: readonly JobGroup[] = [];

  constructor(options: TemplateServerOptions) {
    this.#o = options;
    this.#log = options.log.named('template.server');
  }

  async start(): Promise<void> {
    this.#log.info('starting template server');
    const { config, verifiers, clock } = this.#o;
    this.#groups = groupJobs(await readJobs(config.templates, () => clock.now()), verifiers);
    for (const { set } of this.#groups) {
      if (set !== undefined) this.#sets.set(keyOf(set), new AtomicSet(set.folder, set.verifier, clock));
    }
  }

  /** Loads what the sets need, while the login is on its way. */
  prepare(): void {
    for (const { set } of this.#groups) set?.verifier.prepare?.();
  }

  /** @throws MeshrootError when rendering fails and the configuration says that this ends the agent */
  async serve(token: Secret<string>, signal: AbortSignal): Promise<void> {
    const { config, clock, random } = this.#o;
    this.#log.info('template server received new token');
    const backoff = new Backoff(1000, 300_000, random);
    while (!signal.aborted) {
      const runner = this.#runner(token);
      try {
        await runner.renderAll(signal);
        if (config.exitAfterAuth || signal.aborted) return;
        await runner.keepCurrent(signal);
        if (!signal.aborted) await clock.sleep(2 ** 31 - 1, signal).catch(() => {});
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error('template server error', { error: messageOf(error), ...hintField(error) });
        const refused = codeOf(error) === 'set-refused';
        if (config.templateConfig.exitOnRetryFailure || refused) throw error;
        await clock.sleep(backoff.next(), signal).catch(() => {});
      } finally {
        runner.stop();
      }
    }
  }

  stopped(): void {
    this.#log.info('template server stopped');
  }

  #runner(token: Secret<string>): Runner {
    const { config } = this.#o;
    return new Runner({
      ...this.#o,
      groups: this.#groups,
      setOf: ({ set }) => (set === undefined ? undefined : this.#sets.get(keyOf(set))),
      token,
      templateConfig: config.templateConfig,
      retries: config.vault.retries,
      refusalIsFatal: config.exitAfterAuth,
    });
  }
}

function keyOf(set: { readonly folder: string; readonly verifier: SetVerifier }): string {
  return `${set.verifier.name} ${set.folder}`;
}
