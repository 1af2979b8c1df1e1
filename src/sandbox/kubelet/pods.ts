import type { WatchEvent } from '../../kube/api.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ContainerLog } from './container-log.ts';
import type { NodeContext } from './node-context.ts';
import { asPod, isFinished, type Pod } from './pod.ts';
import { PodWorker } from './pod-worker.ts';

/** The pods of this node. */
export class Pods {
  readonly #node: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #terminating = new Set<string>();

  constructor(node: NodeContext) {
    this.#node = node;
  }

  onEvent(event: Exclude<WatchEvent, { type: 'SYNCED' }>): void {
    try {
      const pod = asPod(event.object);
      if (event.type === 'DELETED') this.#gone(pod);
      else this.#present(pod);
    } catch (error) {
      this.#node.logger.error('a pod is ignored', { why: messageOf(error) });
    }
  }

  find(namespace: string, name: string): PodWorker | undefined {
    const found = [...this.#workers.values()].filter(
      ({ pod }) => pod.metadata.namespace === namespace && pod.metadata.name === name,
    );
    return found.at(-1); // of two with one name the newer
  }

  log(namespace: string, name: string, container: string, previous: boolean): ContainerLog | string {
    const worker = this.find(namespace, name);
    if (worker === undefined) return `pod ${namespace}/${name} is not on this node`;
    const log = worker.log(container, previous);
    if (log !== undefined) return log;
    return previous
      ? `previous terminated container "${container}" in pod "${name}" not found`
      : `container "${container}" in pod "${name}" is waiting to start`;
  }

  async stopAll(graceMs: number): Promise<void> {
    const workers = [...this.#workers.values()];
    await Promise.allSettled(workers.map((worker) => worker.abandon(graceMs)));
  }

  #present(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid);
    worker?.update(pod);
    if (pod.metadata.deletionTimestamp !== undefined) void this.#terminate(pod, worker);
    else if (worker === undefined && !isFinished(pod)) this.#start(pod);
  }

  #start(pod: Pod): void {
    const worker = new PodWorker(this.#node, pod);
    this.#workers.set(pod.metadata.uid, worker);
    void worker.run();
  }

  /** Graceful deletion: end the containers, tell the last status, then delete for good. */
  async #terminate(pod: Pod, worker: PodWorker | undefined): Promise<void> {
    if (this.#terminating.has(pod.metadata.uid)) return;
    this.#terminating.add(pod.metadata.uid);
    const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    await worker?.stop(grace * 1000);
    await worker?.flushed();
    const { name, namespace, uid } = pod.metadata;
    const ref = { apiVersion: 'v1', kind: 'Pod', name, namespace };
    await this.#node.kube.delete(ref, { gracePeriodSeconds: 0, uid }).catch((error: unknown) => {
      this.#node.logger.warn('a pod could not be deleted', { pod: name, why: messageOf(error) });
    });
    await this.#remove(pod, worker);
  }

  #gone(pod: Pod): void {
    this.#terminating.delete(pod.metadata.uid);
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker === undefined) return;
    const grace = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    void worker.stop(grace).then(() => this.#remove(pod, worker));
  }

  async #remove(pod: Pod, worker: PodWorker | undefined): Promise<void> {
    if (!this.#workers.delete(pod.metadata.uid)) return;
    await worker?.folder.remove().catch((error: unknown) => {
      this.#node.logger.warn('a pod folder could not be removed', {
        pod: pod.metadata.name,
        why: messageOf(error),
      });
    });
  }
}
