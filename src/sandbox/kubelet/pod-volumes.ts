import { messageOf } from '../../lib/errors.ts';
import { writePayload } from './atomic-writer.ts';
import type { NodeContext } from './node-context.ts';
import type { Pod } from './pod.ts';
import type { PodFolder } from './pod-folder.ts';
import { PodTokens, volumePayload } from './volume-payload.ts';

/** Fills a pod's volumes and keeps them filled. */
export class PodVolumes {
  readonly #node: NodeContext;
  readonly #folder: PodFolder;
  readonly #tokens: PodTokens;

  constructor(node: NodeContext, folder: PodFolder) {
    this.#node = node;
    this.#folder = folder;
    this.#tokens = new PodTokens(node.kube, node.clock);
  }

  /** Brings every volume to what it should hold now. @throws MountError or KubeError */
  async fill(pod: Pod): Promise<void> {
    const context = { pod, values: this.#node.values, tokens: this.#tokens };
    await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        const payload = await volumePayload(volume, context);
        if (payload === undefined) return;
        await writePayload(this.#folder.volume(volume.name), payload, this.#node.clock.now());
      }),
    );
  }

  /** Fills again when a token is due and every `refreshEvery`, until aborted; a failure keeps what is there. */
  async keep(pod: () => Pod, signal: AbortSignal): Promise<void> {
    const { clock, refreshEvery, logger } = this.#node;
    while (!signal.aborted) {
      const due = Math.min(this.#tokens.nextRenewal() - clock.now(), refreshEvery);
      await clock.sleep(Math.max(due, 100), signal).catch(() => {});
      if (signal.aborted) return;
      await this.fill(pod()).catch((error: unknown) => {
        logger.warn('volumes of a pod could not be refreshed', {
          pod: pod().metadata.name,
          why: messageOf(error),
        });
      });
    }
  }
}
