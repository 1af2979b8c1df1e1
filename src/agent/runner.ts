import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { TemplateBrain } from './brain.ts';
import { commandEnvironment } from './command-environment.ts';
import type { TemplateConfig } from './config/config.ts';
import { type Fetched, Fetcher } from './fetch.ts';
import { HeldBack } from './held-back.ts';
import { hintField } from './hint-field.ts';
import { type AgentMetrics, labels, noteSet } from './metrics.ts';
import { runTemplateCommand } from './run-command.ts';
import { nextRead } from './schedule.ts';
import type { AtomicSet } from './sets/atomic-set.ts';
import { setFiles } from './sets/set-files.ts';
import type { Dependency } from './template/functions/vault.ts';
import { dependencyName } from './template/functions/vault.ts';
import { renderTemplate } from './template/render.ts';
import type { FetchedSecret } from './template/secret-value.ts';
import { templateHint } from './template-hint.ts';
import type { JobGroup, TemplateJob } from './template-job.ts';
import type { VaultAccess } from './vault-access.ts';
import { writeError } from './write-error.ts';
import { writeRendered } from './write-file.ts';

export interface RunnerOptions {
  readonly groups: readonly JobGroup[];
  /** The sets by folder and name, which outlive a runner. */
  readonly setOf: (group: JobGroup) => AtomicSet | undefined;
  /** Takes what `env_template`s gave. */
  readonly metrics: AgentMetrics;
  /** Called when the store refuses a read: is the token still good? */
  readonly onDenied?: () => void;
  readonly setVariable?: (name: string, value: string) => void;
  readonly access: VaultAccess;
  readonly token: Secret<string>;
  readonly templateConfig: TemplateConfig;
  /** Attempts after the first of one read. */
  readonly retries: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** What was read before; nothing unless it is told. */
  readonly known?: ReadonlyMap<string, Fetched>;
  /** Told after each rendering in which nothing was refused. */
  readonly onRendered?: (known: ReadonlyMap<string, Fetched>) => Promise<void>;
  /** Told of each new set with its serial. */
  readonly onDelivered?: (group: JobGroup, serial: string) => void;
  /** A refused set ends the run (init container) instead of leaving the last good one (sidecar). */
  readonly refusalIsFatal: boolean;
}

/** Renders all templates with one token and keeps them current: consul-template's runner. */
export class Runner {
  readonly #o: RunnerOptions;
  readonly #brain: TemplateBrain;
  readonly #fetcher: Fetcher;
  readonly #due = new Map<string, { readonly dependency: Dependency; readonly at: number }>();
  readonly #held: HeldBack;
  #anyRefused = false;
  /** Templates that could not be rendered, and may wait (`error_fatal = false`). */
  readonly #failing = new Set<JobGroup>();

  constructor(options: RunnerOptions) {
    this.#o = options;
    this.#brain = new TemplateBrain(options.known);
    this.#fetcher = new Fetcher({
      ...options,
      renewAfter: options.templateConfig.leaseRenewalThreshold,
      warn: (path, reason) =>
        options.log.warn(`failed to check if ${path} is KVv2, assume not`, { error: reason }),
    });
    this.#held = new HeldBack(options.clock);
    options.log.info('(runner) creating new runner (dry: false, once: false)');
    options.log.info('(runner) creating watcher');
  }

  /** Whether every template was rendered; an init container ends no sooner. */
  get isComplete(): boolean {
    return this.#failing.size === 0;
  }

  /** Renders everything once. @throws MeshrootError */
  async renderAll(signal: AbortSignal): Promise<void> {
    this.#o.log.info('(runner) starting');
    await this.#renderAll(this.#o.groups, signal);
  }

  /** Renders everything with what is known, and asks nobody. @throws MeshrootError also when something is not known */
  async renderKnown(): Promise<void> {
    const missing = new Map<string, Dependency>();
    for (const group of this.#o.groups) await this.#renderGroup(group, missing);
    const [name] = missing.keys();
    if (name !== undefined)
      throw new MeshrootError('last-good-refused', `the last good copy does not know ${name}`, { exit: 1 });
  }

  /**
   * Reads again what is due and renders what changed, until the signal is aborted; in an init container until all is
   * rendered. @throws MeshrootError
   */
  async keepCurrent(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = Math.min(...[...this.#due.values()].map(({ at }) => at), this.#held.next());
      if (!Number.isFinite(next)) return;
      await this.#o.clock
        .sleep(Math.max(0, Math.min(next - this.#o.clock.now(), 2 ** 31 - 1)), signal)
        .catch(() => {});
      if (signal.aborted) return;
      const changed = await this.#refresh(signal);
      await this.#renderAll(this.#held.toRender(this.#o.groups, changed), signal);
      if (this.#o.refusalIsFatal && this.isComplete) return;
    }
  }

  stop(): void {
    this.#o.log.info('(runner) stopping');
  }

  async #renderAll(groups: readonly JobGroup[], signal: AbortSignal): Promise<void> {
    const waiting = new Set(groups);
    this.#anyRefused = false;
    while (waiting.size > 0 && !signal.aborted) {
      const missing = new Map<string, Dependency>();
      for (const group of [...waiting]) {
        if (await this.#renderGroup(group, missing)) waiting.delete(group);
      }
      if (missing.size > 0) await this.#fetchAll([...missing.values()], signal);
    }
    if (waiting.size === 0 && !this.#anyRefused && groups.length > 0)
      await this.#o.onRendered?.(this.#brain.known);
  }

  /** @returns whether anything came back different */
  async #refresh(signal: AbortSignal): Promise<boolean> {
    const now = this.#o.clock.now();
    const due = [...this.#due.values()].filter(({ at }) => at <= now).map(({ dependency }) => dependency);
    const before = due.map((d) => contentOf(this.#brain.recall(d)));
    await this.#fetchAll(due, signal);
    return due.some((d, i) => contentOf(this.#brain.recall(d)) !== before[i]);
  }

  async #fetchAll(dependencies: readonly Dependency[], signal: AbortSignal): Promise<void> {
    await Promise.all(
      dependencies.map(async (dependency) => {
        const fetched = (await this.#renewed(dependency)) ?? (await this.#fetchPatiently(dependency, signal));
        if (fetched === undefined) return;
        this.#brain.remember(dependency, fetched);
        const wait = nextRead(fetched, this.#o.templateConfig, this.#o.random(), this.#o.clock.now());
        this.#due.set(dependencyName(dependency), { dependency, at: this.#o.clock.now() + wait });
      }),
    );
  }

  /** A lease or token that is known is renewed rather than made anew; undefined when that cannot be. */
  async #renewed(dependency: Dependency): Promise<Fetched | undefined> {
    const known = this.#brain.recall(dependency);
    if (known?.kind !== 'secret' || !known.secret.renewable) return undefined;
    try {
      const leaseDuration = await this.#renew(known.secret);
      return leaseDuration > 1 ? { ...known, secret: { ...known.secret, leaseDuration } } : undefined;
    } catch {
      return undefined; // expired or revoked: read it anew
    }
  }

  /** Seconds that are left then; 0 for what has nothing to renew. */
  async #renew({ leaseId, token }: FetchedSecret): Promise<number> {
    const { access } = this.#o;
    if (token !== undefined) {
      const answer = await access.client(token).write('auth/token/renew-self', {});
      return answer?.auth?.lease_duration ?? 0;
    }
    if (leaseId === '') return 0;
    const answer = await access.client(this.#o.token).write('sys/leases/renew', { lease_id: leaseId });
    return answer?.lease_duration ?? 0;
  }

  /** 250 ms, doubling to a minute; undefined when the signal came first. */
  async #fetchPatiently(dependency: Dependency, signal: AbortSignal): Promise<Fetched | undefined> {
    const { log, clock, retries } = this.#o;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#fetcher.fetch(dependency);
      } catch (error) {
        if (signal.aborted) return undefined;
        const reason = withName(dependency, messageOf(error));
        if (attempt >= retries) {
          log.error(`(view) ${reason} (exceeded maximum retries)`);
          throw new MeshrootError('template-read', reason, { exit: 1, cause: error, ...hintField(error) });
        }
        if (error instanceof MeshrootError && error.status === 403) this.#o.onDenied?.();
        const wait = Math.min(250 * 2 ** attempt, 60_000);
        log.warn(`(view) ${reason} (retry attempt ${attempt + 1} after "${waitText(wait)}")`);
        await clock.sleep(wait, signal).catch(() => {});
      }
    }
  }

  /** @returns false when something is still missing, which is added to `missing` */
  async #renderGroup(group: JobGroup, missing: Map<string, Dependency>): Promise<boolean> {
    const rendered = new Map<TemplateJob, Buffer>();
    try {
      for (const job of group.jobs) {
        const known = missing.size;
        const data = this.#render(job, group.set !== undefined, missing);
        if (data !== undefined) rendered.set(job, data);
        else if (missing.size === known && rendered.size === 0) continue;
      }
    } catch (error) {
      if (group.set === undefined && group.jobs.every(({ settings }) => !settings.errorFatal)) {
        this.#o.log.error(`(runner) ${messageOf(error)}`); // error_fatal = false: the others go on
        this.#failing.add(group);
        return true;
      }
      if (group.set === undefined || codeOf(error) === 'template-parse') throw error;
      const { hint } = hintField(error);
      await this.#refused(group, [`${messageOf(error)}${hint === undefined ? '' : ` (${hint})`}`]);
      return true;
    }
    if (rendered.size < group.jobs.length) return false;
    this.#failing.delete(group);
    if (group.set === undefined) for (const [job, data] of rendered) await this.#writeOne(job, data);
    else await this.#deliver(group, rendered);
    return true;
  }

  #render(job: TemplateJob, inSet: boolean, missing: Map<string, Dependency>): Buffer | undefined {
    const { settings, contents, more } = job;
    const noted = this.#brain.begin();
    let data: Buffer | undefined;
    try {
      data = renderTemplate({
        contents,
        leftDelimiter: settings.leftDelimiter,
        rightDelimiter: settings.rightDelimiter,
        missingKeyIsError: settings.errorOnMissingKey || inSet,
        denylist: settings.denylist,
        sandboxPath: settings.sandboxPath,
        more,
        destination: settings.envName === undefined ? settings.destination : '',
        brain: this.#brain,
        env: this.#o.env,
        now: () => this.#o.clock.now(),
      });
    } catch (error) {
      // `$s := secret …` outside a `with` fails on the pass that only finds out what is needed.
      const premature = noted.missing.size > 0 && codeOf(error) === 'template-execute';
      if (!premature || !inSet) throw this.#redacted(error, settings.destination);
    }
    for (const [name, dependency] of noted.missing) missing.set(name, dependency);
    return noted.missing.size > 0 ? undefined : data;
  }

  #redacted(error: unknown, destination: string): MeshrootError {
    const reason = this.#brain.redact(messageOf(error));
    const phase = codeOf(error) === 'template-parse' ? 'parse' : 'execute';
    const hint = templateHint(reason);
    return new MeshrootError(codeOf(error) ?? 'template-execute', `${destination}: ${phase}: ${reason}`, {
      exit: 1,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  async #writeOne(job: TemplateJob, data: Buffer): Promise<void> {
    const { envName } = job.settings;
    if (envName !== undefined) return this.#o.setVariable?.(envName, data.toString('utf8'));
    const written = await writeRendered(job.settings, data).catch((error: unknown) => {
      throw codeOf(error) === 'unknown-owner' ? error : writeError(job.settings.destination, error);
    });
    if (!written) return;
    this.#logRendered(job);
    await this.#command(job);
  }

  async #deliver(group: JobGroup, rendered: ReadonlyMap<TemplateJob, Buffer>): Promise<void> {
    const set = this.#o.setOf(group);
    const folder = group.set?.folder ?? '';
    const delivery = await setFiles(folder, rendered)
      .then((files) => set?.deliver(files))
      .catch((error: unknown) => {
        throw codeOf(error) === 'unknown-owner' ? error : writeError(folder, error);
      });
    if (group.set !== undefined) noteSet(this.#o.metrics, group.set, set?.facts ?? {});
    if (delivery?.outcome === 'refused') return this.#announceRefusal(group, delivery.refusals);
    if (delivery?.outcome !== 'delivered') return;
    this.#o.onDelivered?.(group, set?.facts.serial ?? '');
    for (const job of group.jobs) this.#logRendered(job);
    for (const job of distinctCommands(group.jobs)) await this.#command(job);
  }

  async #refused(group: JobGroup, reasons: readonly string[]): Promise<void> {
    await this.#o.setOf(group)?.refuse(reasons);
    this.#announceRefusal(group, reasons);
  }

  #announceRefusal(group: JobGroup, reasons: readonly string[]): void {
    this.#anyRefused = true;
    const { folder, verifier } = group.set ?? { folder: '', verifier: { name: '' } };
    this.#o.metrics.count(`meshroot_agent_set_refused_total${labels({ set: verifier.name, folder })}`);
    const message = `the ${verifier.name} set for ${folder} is refused: ${reasons.join('; ')}`;
    if (this.#o.refusalIsFatal) throw new MeshrootError('set-refused', message, { exit: 1 });
    this.#o.log.error(`(runner) ${message}; the last good set stays`);
  }

  #logRendered({ settings }: TemplateJob): void {
    this.#o.metrics.count(`meshroot_agent_rendered_total${labels({ destination: settings.destination })}`);
    this.#o.log.info(`(runner) rendered "${settings.source ?? '(dynamic)'}" => "${settings.destination}"`);
  }

  async #command({ settings }: TemplateJob): Promise<void> {
    if (settings.command === undefined) return;
    this.#o.log.info(`(runner) executing command ${JSON.stringify(settings.command)}`);
    await runTemplateCommand(settings.command, {
      timeoutMs: settings.commandTimeoutMs,
      env: commandEnvironment(this.#o.env, settings.commandEnvironment),
    });
  }
}

function distinctCommands(jobs: readonly TemplateJob[]): TemplateJob[] {
  const seen = new Set<string>();
  return jobs.filter(({ settings }) => {
    const key = JSON.stringify(settings.command ?? null);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

/** What has to differ for a template to be rendered again: request ids and lease ids do not count. */
function contentOf(fetched: Fetched | undefined): string {
  if (fetched === undefined) return '';
  if (fetched.kind === 'list') return fetched.keys.join('\n');
  if (fetched.kind === 'file' || fetched.kind === 'pems') return fetched.text;
  return fetched.text.replace(/"(request_id|lease_id)":"[^"]*"/g, '');
}

function withName(dependency: Dependency, message: string): string {
  const name = dependencyName(dependency);
  return message.startsWith(name) ? message : `${name}: ${message}`;
}

function waitText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  return ms >= 60_000 ? '1m0s' : `${ms / 1000}s`;
}
