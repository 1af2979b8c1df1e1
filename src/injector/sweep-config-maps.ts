import type { KubeApi, KubeObject } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { configMapLabel, usedAtAnnotation } from './config-map-writer.ts';
import { configMapAnnotation } from './projected-config.ts';

export interface SweepOptions {
  readonly kube: Pick<KubeApi, 'list' | 'delete'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const everyMs = 10 * 60_000;
/** Between the admission of a pod and its being seen lie seconds; a controller may try for longer. */
const unusedMs = 60 * 60_000;

const configMap = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** Takes away, now and every ten minutes until the signal is aborted, what no pod refers to any more. */
export async function keepSwept(options: SweepOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweepConfigMaps(options);
    } catch (error) {
      options.log.warn('unused ConfigMaps of agents stay', { error: messageOf(error) });
    }
    await options.clock.sleep(everyMs, signal).catch(() => {});
  }
}

/**
 * Deletes the ConfigMaps of the injector that nobody was admitted with for an hour and that no pod refers to. A pod that
 * is admitted in between touches its ConfigMap, whose version then is another one, and the deletion is refused.
 */
export async function sweepConfigMaps({ kube, clock, log }: SweepOptions): Promise<void> {
  const selection = { labelSelector: `${configMapLabel}=true`, metadataOnly: true };
  const before = clock.now() - unusedMs;
  const old = (await kube.list(configMap, selection)).filter((object) => usedAt(object) < before);
  for (const namespace of new Set(old.map(({ metadata }) => metadata.namespace ?? ''))) {
    const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, metadataOnly: true });
    const used = new Set(pods.map(({ metadata }) => metadata.annotations?.[configMapAnnotation]));
    for (const { metadata } of old) {
      if (metadata.namespace !== namespace || used.has(metadata.name)) continue;
      await remove(kube, metadata, log);
    }
  }
}

/** One without a readable time was touched by somebody else and stays. */
function usedAt({ metadata }: KubeObject): number {
  const at = Date.parse(metadata.annotations?.[usedAtAnnotation] ?? '');
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}

async function remove(
  kube: SweepOptions['kube'],
  { name, namespace, uid, resourceVersion }: KubeObject['metadata'],
  log: Logger,
): Promise<void> {
  try {
    await kube.delete({ ...configMap, name, namespace }, { uid, resourceVersion });
    log.info('unused ConfigMap deleted', { namespace, name });
  } catch (error) {
    if (codeOf(error) !== 'kube-conflict') throw error; // in use again, or another replica was first
  }
}
