import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { Backoff } from './backoff.ts';
import { CreateContainerConfigError } from './container-env.ts';
import { type Launch, prepareLaunch } from './container-launch.ts';
import { ContainerLog } from './container-log.ts';
import { type ContainerExit, type ContainerProcess, startProcess } from './container-process.ts';
import { findImage, type ImageProgram } from './images.ts';
import type { NodeContext } from './node-context.ts';
import type { Pod, RestartPolicy } from './pod.ts';
import type { PodFolder } from './pod-folder.ts';
import { type ContainerRecord, type Terminated, unknownImageMessage } from './pod-status.ts';
import { runProbe } from './probe.ts';

export interface RunnerOptions {
  readonly node: NodeContext;
  readonly folder: PodFolder;
  readonly pod: () => Pod;
  readonly record: ContainerRecord;
  readonly onChange: () => void;
}

interface Run {
  readonly launch: Launch;
  readonly process: ContainerProcess;
}

/** Keeps one container running as its restart policy says, and keeps its record true. */
export class ContainerRunner {
  readonly record: ContainerRecord;
  readonly #options: RunnerOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #started: Promise<void>;
  #markStarted: () => void = () => {};
  #run: Run | undefined;
  #current: Promise<Terminated | undefined> = Promise.resolve(undefined);
  #logs: { number: number; log: ContainerLog }[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.record = options.record;
    this.#backoff = new Backoff(options.node.backoff);
    this.#started = new Promise((resolve) => {
      this.#markStarted = resolve;
    });
  }

  /** Resolves when the container has started for the first time (its startup probe included) or was stopped. */
  get started(): Promise<void> {
    return this.#started;
  }

  log(previous: boolean): ContainerLog | undefined {
    return this.#logs.at(previous ? -2 : -1)?.log;
  }

  /** Runs and restarts. Resolves with the last exit, or undefined when it was stopped before it ever ran. */
  async supervise(policy: RestartPolicy): Promise<Terminated | undefined> {
    const { images } = this.#options.node;
    const { image } = this.record.container;
    const program = findImage(images, image);
    if (program === undefined) {
      this.#wait('ErrImagePull', unknownImageMessage(images, image));
      return await this.#stopped();
    }
    for (;;) {
      this.#current = this.#once(program);
      const exit = await this.#current;
      if (this.#stop.signal.aborted) return exit;
      if (exit !== undefined && (policy === 'Never' || (policy === 'OnFailure' && exit.exitCode === 0)))
        return exit;
      await this.#backOff(exit);
      if (this.#stop.signal.aborted) return exit;
    }
  }

  /** preStop, SIGTERM, and SIGKILL when `graceMs` are over; no restart after that. */
  async stop(graceMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { clock } = this.#options.node;
    const from = clock.now();
    const run = this.#run;
    const hook = this.record.container.lifecycle?.preStop?.exec?.command;
    this.#stop.abort();
    this.#markStarted();
    if (run !== undefined) {
      if (hook) await this.#exec(run.launch, hook, graceMs);
      await run.process.stop(Math.max(graceMs - (clock.now() - from), 0));
    }
    await this.#current; // a run that was just being started ends by itself
  }

  async #once(program: ImageProgram): Promise<Terminated | undefined> {
    const { node, folder, pod } = this.#options;
    try {
      const launch = await prepareLaunch(node, folder, pod(), this.record.container, program);
      if (this.#stop.signal.aborted) return undefined;
      return await this.#execute(launch);
    } catch (error) {
      const reason =
        error instanceof CreateContainerConfigError ? 'CreateContainerConfigError' : 'CreateContainerError';
      this.#wait(reason, messageOf(error));
      return undefined;
    }
  }

  async #execute(launch: Launch): Promise<Terminated> {
    const { node } = this.#options;
    const log = this.#newLog();
    const process = await startProcess(
      { ...launch, onOutput: (stream, chunk) => log.append(stream, chunk) },
      node.reaper,
      node.clock,
    );
    this.#run = { launch, process };
    this.#update({
      id: `process://${process.pid}`,
      state: { kind: 'running', startedAt: process.startedAt },
    });
    const probes = new AbortController();
    this.#afterStart(launch, process, probes.signal);
    if (this.#stop.signal.aborted) void process.stop(0);
    const exit = await process.exited;
    probes.abort();
    this.#run = undefined;
    log.end();
    const terminated = terminatedOf(exit, process.startedAt);
    this.#update({ state: { kind: 'terminated', ...terminated }, ready: false, started: false });
    return terminated;
  }

  #afterStart(launch: Launch, process: ContainerProcess, signal: AbortSignal): void {
    const { container } = this.record;
    const hook = container.lifecycle?.postStart?.exec?.command;
    if (hook) void this.#exec(launch, hook, 30_000);
    const startup = container.startupProbe;
    if (!startup) {
      this.#afterStartup(launch, process, signal);
      return;
    }
    this.#probe(launch, startup, signal, true, (ok) => {
      if (!ok) void process.stop(this.#grace());
      else if (!this.record.started) this.#afterStartup(launch, process, signal);
    });
  }

  #afterStartup(launch: Launch, process: ContainerProcess, signal: AbortSignal): void {
    const { readinessProbe, livenessProbe } = this.record.container;
    this.#update({ started: true, ready: !readinessProbe });
    this.#markStarted();
    if (readinessProbe) {
      this.#probe(launch, readinessProbe, signal, true, (ready) => this.#update({ ready }));
    }
    if (livenessProbe) {
      this.#probe(launch, livenessProbe, signal, false, (ok) => {
        if (!ok) void process.stop(this.#grace());
      });
    }
  }

  #probe(
    launch: Launch,
    probe: Parameters<typeof runProbe>[0]['probe'],
    signal: AbortSignal,
    eager: boolean,
    onVerdict: (ok: boolean) => void,
  ): void {
    const exec = (command: readonly string[], timeout: number) => this.#exec(launch, command, timeout);
    const { clock } = this.#options.node;
    void runProbe({ probe, container: this.record.container, exec, clock, signal, eager, onVerdict });
  }

  /** A further command in the surroundings of the container. */
  async #exec(launch: Launch, command: readonly string[], timeoutMs: number): Promise<number> {
    const { reaper, clock } = this.#options.node;
    const argv = command.map((word) => launch.paths.text(word));
    const process = await startProcess({ ...launch, argv, onOutput: () => {} }, reaper, clock);
    const late = new AbortController();
    void clock.sleep(timeoutMs, late.signal).then(
      () => process.stop(0),
      () => {},
    );
    return (await process.exited.finally(() => late.abort())).code;
  }

  async #backOff(exit: Terminated | undefined): Promise<void> {
    const { node, pod } = this.#options;
    const delay = this.#backoff.next(exit === undefined ? 0 : exit.finishedAt - exit.startedAt);
    if (exit !== undefined) {
      this.#update({ last: exit, restarts: this.record.restarts + 1 });
      const { name, namespace, uid } = pod().metadata;
      const what = `restarting failed container=${this.record.container.name} pod=${name}_${namespace}(${uid})`;
      if (delay > 0) this.#wait('CrashLoopBackOff', `back-off ${Math.round(delay / 1000)}s ${what}`);
    }
    // What keeps a container from being created is often being made in this very moment.
    await node.clock
      .sleep(exit === undefined ? Math.max(delay / 10, 200) : delay, this.#stop.signal)
      .catch(() => {});
  }

  #newLog(): ContainerLog {
    const { folder, node } = this.#options;
    const number = this.record.restarts;
    const fileOf = (n: number): string => join(folder.container(this.record.container.name), `${n}.log`);
    for (const old of this.#logs.splice(0, Math.max(this.#logs.length - 1, 0))) {
      for (const file of [fileOf(old.number), `${fileOf(old.number)}.1`]) void rm(file, { force: true });
    }
    const log = new ContainerLog(fileOf(number), node.clock);
    this.#logs.push({ number, log });
    return log;
  }

  #grace(): number {
    return (this.#options.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #wait(reason: string, message: string | undefined): void {
    this.#update({ state: { kind: 'waiting', reason, message } });
  }

  #update(change: Partial<ContainerRecord>): void {
    Object.assign(this.record, change);
    this.#options.onChange();
  }

  #stopped(): Promise<undefined> {
    return new Promise((resolve) => {
      if (this.#stop.signal.aborted) resolve(undefined);
      this.#stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }
}

function terminatedOf(exit: ContainerExit, startedAt: number): Terminated {
  return {
    exitCode: exit.code,
    signal: exit.signal,
    reason: exit.code === 0 ? 'Completed' : 'Error',
    startedAt,
    finishedAt: exit.finishedAt,
  };
}
