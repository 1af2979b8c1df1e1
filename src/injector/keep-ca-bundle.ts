import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { caBundlePatch } from './ca-bundle.ts';

export interface KeepCaBundleOptions {
  readonly kube: Pick<KubeApi, 'get' | 'patch' | 'watch'>;
  /** Of the MutatingWebhookConfiguration. */
  readonly name: string;
  readonly merge: (old: string) => string;
  readonly clock: Clock;
  readonly log: Logger;
}

const type = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' } as const;
const retryMs = 2000;

/** Keeps the API server's trust in our certificate: at the start, after our CA changed, after somebody reset it. */
export class CaBundleKeeper {
  readonly #options: KeepCaBundleOptions;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: KeepCaBundleOptions) {
    this.#options = options;
  }

  /** Heals whenever the configuration changes, until `signal` is aborted. Outlives an API server that refuses or is away. */
  async follow(signal: AbortSignal): Promise<void> {
    const { kube, name, clock, log } = this.#options;
    const onProblem = (error: unknown): void =>
      log.warn('watching the webhook configuration', { error: messageOf(error) });
    while (!signal.aborted) {
      try {
        await kube.watch(
          type,
          { fieldSelector: `metadata.name=${name}`, onProblem },
          (event) => {
            if (event.type === 'ADDED' || event.type === 'MODIFIED') void this.heal(signal);
          },
          signal,
        );
      } catch (error) {
        onProblem(error); // e.g. forbidden: the role binding may come a moment after us
      }
      await clock.sleep(retryMs, signal).catch(() => {});
    }
    await this.#running;
  }

  /** Looks once, now; calls while one is under way become one more afterwards. */
  heal(signal: AbortSignal): Promise<void> {
    this.#again = true;
    this.#running ??= this.#healAll(signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #healAll(signal: AbortSignal): Promise<void> {
    while (this.#again && !signal.aborted) {
      this.#again = false;
      try {
        await this.#healOnce();
      } catch (error) {
        this.#options.log.warn('patching the webhook configuration', { error: messageOf(error) });
        this.#again = true;
        await this.#options.clock.sleep(retryMs, signal).catch(() => {});
      }
    }
  }

  async #healOnce(): Promise<void> {
    const { kube, name, merge, log } = this.#options;
    const configuration = await kube.get({ ...type, name });
    if (configuration === undefined) return;
    const patch = caBundlePatch(configuration, merge);
    if (patch === undefined) return;
    await kube.patch({ ...type, name }, patch, 'json');
    log.info('caBundle updated', { configuration: name });
  }
}
