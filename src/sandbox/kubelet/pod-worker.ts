import { messageOf } from '../../lib/errors.ts';
import type { ContainerLog } from './container-log.ts';
import { ContainerRunner } from './container-runner.ts';
import { findImage } from './images.ts';
import type { NodeContext } from './node-context.ts';
import { isSidecar, type Pod } from './pod.ts';
import { PodFolder, pathMapOf } from './pod-folder.ts';
import { type ContainerRecord, newRecord, podStatus } from './pod-status.ts';
import { PodVolumes } from './pod-volumes.ts';
import { StatusWriter } from './status-writer.ts';

/** One pod from its binding to its end. */
export class PodWorker {
  readonly folder: PodFolder;
  readonly #node: NodeContext;
  readonly #startedAt: number;
  readonly #runners: readonly ContainerRunner[];
  readonly #volumes: PodVolumes;
  readonly #status: StatusWriter;
  readonly #stop = new AbortController();
  #pod: Pod;
  #ended: 'Succeeded' | 'Failed' | undefined;
  #ending: Promise<void> | undefined;

  constructor(node: NodeContext, pod: Pod) {
    this.#node = node;
    this.#pod = pod;
    this.#startedAt = node.clock.now();
    this.folder = new PodFolder(node.root, pod);
    this.#volumes = new PodVolumes(node, this.folder);
    this.#status = new StatusWriter(
      node,
      () => this.#pod,
      () => this.#statusNow(),
    );
    this.#runners = recordsOf(pod).map(
      (record) =>
        new ContainerRunner({
          node,
          folder: this.folder,
          pod: () => this.#pod,
          record,
          onChange: () => this.#status.changed(),
        }),
    );
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The object has changed: labels, annotations, or it is being deleted. */
  update(pod: Pod): void {
    this.#pod = pod;
  }

  log(container: string, previous: boolean): ContainerLog | undefined {
    return this.#runners.find((runner) => runner.record.container.name === container)?.log(previous);
  }

  /** Host path of a path that is mounted into a container. */
  hostPath(containerName: string, path: string): string | undefined {
    const container = this.#runners.find((r) => r.record.container.name === containerName)?.record.container;
    const program = container && findImage(this.#node.images, container.image);
    if (container === undefined || program === undefined) return undefined;
    const toolDir = this.#node.toolDir(program);
    return pathMapOf(this.folder, this.#pod, container, program, toolDir, []).path(path);
  }

  /** Runs the pod; resolves when it has ended by itself or was stopped. Never rejects. */
  async run(): Promise<void> {
    try {
      this.#status.changed();
      if (!(await this.#prepare())) return;
      void this.#volumes.keep(() => this.#pod, this.#stop.signal);
      if (!(await this.#runInit())) return;
      await this.#runMain();
    } catch (error) {
      this.#node.logger.error('a pod could not be run', {
        pod: this.#pod.metadata.name,
        why: messageOf(error),
      });
    }
  }

  /** Ends all containers (main ones first, then sidecars, last started first) within `graceMs`. */
  stop(graceMs: number): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  /** Ends the processes and says nothing of it to the API: the node itself goes. */
  async abandon(graceMs: number): Promise<void> {
    this.#status.close();
    await this.stop(graceMs);
  }

  /** Waits until the API knows the last status. */
  flushed(): Promise<void> {
    return this.#status.flushed();
  }

  async #end(graceMs: number): Promise<void> {
    this.#stop.abort();
    const from = this.#node.clock.now();
    const left = (): number => Math.max(graceMs - (this.#node.clock.now() - from), 500);
    const [inits, mains] = [this.#of(true), this.#of(false)];
    await Promise.all(mains.map((runner) => runner.stop(graceMs)));
    for (const runner of inits.reverse()) await runner.stop(left());
    this.#ended ??= mains.every((runner) => exitedWell(runner.record)) ? 'Succeeded' : 'Failed';
    this.#status.changed();
  }

  /** Folders and volumes; asked again until what they name exists. */
  async #prepare(): Promise<boolean> {
    const { clock } = this.#node;
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        await this.folder.create(this.#pod);
        await this.#volumes.fill(this.#pod);
        return !this.#stop.signal.aborted;
      } catch (error) {
        this.#explainWaiting(messageOf(error));
        await clock.sleep(Math.min(50 * 2 ** attempt, 400), this.#stop.signal).catch(() => {});
      }
    }
    return false;
  }

  #explainWaiting(message: string): void {
    for (const { record } of this.#runners) {
      if (record.state.kind === 'waiting') record.state = { ...record.state, message };
    }
    this.#status.changed();
  }

  async #runInit(): Promise<boolean> {
    const policy = this.#pod.spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure';
    for (const runner of this.#of(true)) {
      if (isSidecar(runner.record.container)) {
        void runner.supervise('Always');
        await runner.started;
      } else {
        const exit = await runner.supervise(policy);
        if (!this.#stop.signal.aborted && exit?.exitCode !== 0) {
          this.#ended = 'Failed';
          await this.stop(this.#grace());
        }
      }
      if (this.#stop.signal.aborted) return false;
    }
    return true;
  }

  async #runMain(): Promise<void> {
    const policy = this.#pod.spec.restartPolicy ?? 'Always';
    const exits = await Promise.all(this.#of(false).map((runner) => runner.supervise(policy)));
    if (this.#stop.signal.aborted) return;
    this.#ended = exits.every((exit) => exit?.exitCode === 0) ? 'Succeeded' : 'Failed';
    await this.stop(this.#grace());
  }

  #of(init: boolean): ContainerRunner[] {
    return this.#runners.filter((runner) => runner.record.init === init);
  }

  #grace(): number {
    return (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #statusNow(): Record<string, unknown> {
    const records = this.#runners.map((runner) => runner.record);
    return podStatus(
      this.#pod,
      { records, ended: this.#ended, startedAt: this.#startedAt },
      this.#node.clock.now(),
    );
  }
}

function recordsOf(pod: Pod): ContainerRecord[] {
  const inits = pod.spec.initContainers ?? [];
  return [
    ...inits.map((container) => newRecord(container, true, true)),
    ...pod.spec.containers.map((container) => newRecord(container, false, inits.length > 0)),
  ];
}

function exitedWell(record: ContainerRecord): boolean {
  return record.state.kind === 'terminated' && record.state.exitCode === 0;
}
