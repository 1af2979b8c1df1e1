import { codeOf, messageOf } from '../../lib/errors.ts';
import type { NodeContext } from './node-context.ts';
import type { Pod } from './pod.ts';

/** Writes a pod's status: one write at a time, changes in between are written together, the last one always arrives. */
export class StatusWriter {
  readonly #node: NodeContext;
  readonly #pod: () => Pod;
  readonly #status: () => Record<string, unknown>;
  #dirty = false;
  #writing: Promise<void> | undefined;
  #written = '';
  #closed = false;

  constructor(node: NodeContext, pod: () => Pod, status: () => Record<string, unknown>) {
    this.#node = node;
    this.#pod = pod;
    this.#status = status;
  }

  changed(): void {
    if (this.#closed) return;
    this.#dirty = true;
    this.#writing ??= this.#loop().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Says no more: the node goes, and its pods are not to be seen as ended. */
  close(): void {
    this.#closed = true;
    this.#dirty = false;
  }

  /** Resolves when everything told so far is written or can never be. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #loop(): Promise<void> {
    await Promise.resolve(); // several changes of one turn are one write
    for (let failures = 0; this.#dirty && failures < 5; ) {
      this.#dirty = false;
      const status = this.#status();
      const text = JSON.stringify(status);
      if (text === this.#written) continue;
      try {
        await this.#write(status);
        this.#written = text;
        failures = 0;
      } catch (error) {
        if (['kube-not-found', 'kube-conflict'].includes(codeOf(error) ?? '')) return; // it is gone, or another of its name
        this.#node.logger.warn('a pod status could not be written', { why: messageOf(error) });
        this.#dirty = true;
        await this.#node.clock.sleep(200 * 2 ** failures++);
      }
    }
  }

  async #write(status: Record<string, unknown>): Promise<void> {
    const { name, namespace, uid } = this.#pod().metadata;
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name };
    await this.#node.kube.patch(ref, { metadata: { uid }, status }, 'merge', { subresource: 'status' });
  }
}
