import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { isRecord } from '../lib/records.ts';

export interface YieldOptions {
  readonly api: Pick<KubeApi, 'get'>;
  /** Of the control plane. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The lock under which one istiod writes root and revocation lists into all namespaces; without its CA none takes it. */
const lock = { apiVersion: 'v1', kind: 'ConfigMap', name: 'istio-namespace-controller-election' } as const;
const record = 'control-plane.alpha.kubernetes.io/leader'; // client-go's lock in a ConfigMap
const every = 10_000;
/** istiod renews within 30 s; as much again for clocks that differ. */
const believed = 60_000;

/** Whether an istiod with a CA of its own keeps the ConfigMaps of this cluster. */
async function istiodPublishes({ api, namespace, clock }: YieldOptions): Promise<boolean> {
  const found = await api.get({ ...lock, namespace });
  const text = found?.metadata.annotations?.[record];
  const held = text === undefined ? undefined : parsed(text);
  if (held === undefined || held.holderIdentity === '') return false;
  return clock.now() - Date.parse(String(held.renewTime)) < believed;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs `work` while no istiod writes the same ConfigMaps, again and again, until the signal is aborted: two writers with
 * different roots would undo each other without end. Who may not look at istiod's lock takes it that there is none.
 */
export async function unlessIstiod(
  options: YieldOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, log, signal } = options;
  let last = false;
  const taken = async (): Promise<boolean> => {
    try {
      const now = await istiodPublishes(options);
      if (now && !last)
        log.info('istiod publishes the root here: left to it (ENABLE_CA_SERVER=false ends that)');
      last = now;
    } catch (error) {
      if (codeOf(error) !== 'kube-forbidden')
        log.warn(`cannot see whether istiod publishes: ${messageOf(error)}`);
    }
    return last;
  };
  const pause = (until: AbortSignal) => clock.sleep(every, until).catch(() => {});
  while (!signal.aborted) {
    if (await taken()) {
      await pause(signal);
      continue;
    }
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const working = work(both);
    while (!both.aborted) {
      await pause(both);
      if (!both.aborted && (await taken())) stop.abort();
    }
    await working;
  }
}
