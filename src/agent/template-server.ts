import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Secret } from '../lib/secret.ts';
import { Backoff } from './auth/backoff.ts';
import { vaultEnvironment } from './command-environment.ts';
import type { AgentConfig } from './config/config.ts';
import type { Fetched } from './fetch.ts';
import { hintField } from './hint-field.ts';
import type { LastGood } from './last-good/last-good.ts';
import { type AgentMetrics, labels } from './metrics.ts';
import { Runner } from './runner.ts';
import { certificateEndOf } from './schedule.ts';
import { AtomicSet } from './sets/atomic-set.ts';
import type { OnChange } from './sets/on-change.ts';
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
  /** Told after each rendering when the first certificate that was read ends, milliseconds since the epoch. */
  readonly onCertificates?: (endAt: number | undefined) => void;
  readonly onDenied?: () => void;
  readonly setVariable?: (name: string, value: string) => void;
}

const fromCopy = { source: 'last-good copy: the store was down' };

/** Runs the templates with the newest token: once in an init container, for good in a sidecar. */
export class TemplateServer {
  readonly #o: TemplateServerOptions;
  readonly #log: Logger;
  readonly #sets = new Map<string, AtomicSet>();
  #groups: readonly JobGroup[] = [];
  #lastGood: LastGood | undefined;
  #isFromCopy = false;
  #onChange: readonly (readonly [folder: string, OnChange])[] = [];

  constructor(options: TemplateServerOptions) {
    this.#o = options;
    this.#log = options.log.named('template.server');
  }

  async start(): Promise<void> {
    this.#log.info('starting template server');
    const { config, verifiers, clock } = this.#o;
    const { persist } = config.cache ?? {};
    if (persist !== undefined) {
      const { LastGood } = await import('./last-good/last-good.ts');
      this.#lastGood = new LastGood(persist, config, clock);
    }
    this.#groups = groupJobs(await readJobs(config.templates, () => clock.now()), verifiers);
    for (const { set } of this.#groups) {
      if (set !== undefined) this.#sets.set(keyOf(set), new AtomicSet(set.folder, set.verifier, clock));
    }
    if (config.onChange.length > 0 && !config.exitAfterAuth) await this.#watchChanges();
  }

  async #watchChanges(): Promise<void> {
    const { config, metrics } = this.#o;
    const { OnChange } = await import('./sets/on-change.ts');
    this.#onChange = config.onChange.map((settings) => {
      const group = this.#groups.find(({ set }) => set?.folder === settings.folder)?.set;
      if (group === undefined)
        throw new MeshrootError('bad-agent-config', `on_change: no set is written to ${settings.folder}`, {
          exit: 1,
          hint: 'the folder needs all files of a set; see them with: meshroot agent explain',
        });
      const where = labels({ set: group.verifier.name, folder: group.folder });
      const onOutcome = async (reason: string | undefined): Promise<void> => {
        metrics.set(`meshroot_agent_set_confirmed${where}`, reason === undefined ? 1 : 0);
        if (reason !== undefined) metrics.count(`meshroot_agent_set_unconfirmed_total${where}`);
        const said = reason === undefined ? { confirmed: settings.probe ?? 'told' } : { unconfirmed: reason };
        await this.#sets.get(keyOf(group))?.note(said);
      };
      return [settings.folder, new OnChange({ ...this.#o, log: this.#log, settings, onOutcome })];
    });
  }

  /** Ends what goes on beside the rendering. */
  async close(): Promise<void> {
    await Promise.all(this.#onChange.map(([, one]) => one.stop()));
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
        if ((config.exitAfterAuth && runner.isComplete) || signal.aborted) return;
        if (config.exitAfterAuth)
          this.#log.warn('a template has failed: waiting for another content of what it reads');
        await runner.keepCurrent(signal);
        if (config.exitAfterAuth && runner.isComplete) return;
        if (!signal.aborted) await clock.sleep(2 ** 31 - 1, signal).catch(() => {});
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error('template server error', { error: messageOf(error), ...hintField(error) });
        const refused = ['set-refused', 'last-good-not-kept'].includes(codeOf(error) ?? '');
        if (config.templateConfig.exitOnRetryFailure || refused) throw error;
        await clock.sleep(backoff.next(), signal).catch(() => {});
      } finally {
        runner.stop();
      }
    }
  }

  /**
   * Renders from the last good copy, while the store is down.
   * @returns whether it did
   */
  async serveLastGood(): Promise<boolean> {
    const { metrics } = this.#o;
    try {
      const found = await this.#lastGood?.recover();
      if (found === undefined) return false;
      const age = Math.round(found.ageMs / 1000);
      await this.#runner(new Secret(''), found.known).renderKnown();
      metrics.set('meshroot_agent_last_good_in_use', 1);
      metrics.set('meshroot_agent_last_good_age_seconds', age);
      this.#log.warn('the store is down: rendered from the last good copy', { ageSeconds: age });
      for (const set of this.#sets.values()) await set.note(fromCopy);
      this.#isFromCopy = true;
      return true;
    } catch (error) {
      metrics.count('meshroot_agent_last_good_refused_total');
      this.#log.error('the last good copy is not used', { error: messageOf(error), ...hintField(error) });
      return false;
    }
  }

  async #rendered(known: ReadonlyMap<string, Fetched>): Promise<void> {
    const ends = [...known.values()].map(certificateEndOf).filter((end) => end !== undefined);
    if (!this.#o.config.exitAfterAuth)
      this.#o.onCertificates?.(ends.length === 0 ? undefined : Math.min(...ends));
    await this.#keepLastGood(known);
  }

  /** A copy that cannot be kept is no reason to stop, unless the configuration says so. */
  async #keepLastGood(known: ReadonlyMap<string, Fetched>): Promise<void> {
    const { metrics, config } = this.#o;
    if (this.#lastGood === undefined) return;
    try {
      if (this.#isFromCopy) for (const set of this.#sets.values()) await set.note({});
      this.#isFromCopy = false;
      await this.#lastGood.save(known);
      metrics.set('meshroot_agent_last_good_in_use', 0);
    } catch (error) {
      if (config.cache?.persist?.exitOnError === true)
        throw new MeshrootError('last-good-not-kept', messageOf(error), {
          exit: 1,
          cause: error,
          ...hintField(error),
        });
      this.#log.error('no last good copy is kept', { error: messageOf(error), ...hintField(error) });
    }
  }

  stopped(): void {
    this.#log.info('template server stopped');
  }

  #runner(token: Secret<string>, known: ReadonlyMap<string, Fetched> = new Map()): Runner {
    const { config } = this.#o;
    return new Runner({
      ...this.#o,
      env: { ...this.#o.env, ...vaultEnvironment(config.vault) },
      groups: this.#groups,
      setOf: ({ set }) => (set === undefined ? undefined : this.#sets.get(keyOf(set))),
      token,
      known,
      ...(known.size > 0 ? {} : { onRendered: (all: ReadonlyMap<string, Fetched>) => this.#rendered(all) }),
      templateConfig: config.templateConfig,
      retries: config.vault.retries,
      onDelivered: (group, serial) => {
        for (const [folder, one] of this.#onChange) if (folder === group.set?.folder) one.changed(serial);
      },
      refusalIsFatal: config.exitAfterAuth,
    });
  }
}

function keyOf(set: { readonly folder: string; readonly verifier: SetVerifier }): string {
  return `${set.verifier.name} ${set.folder}`;
}
