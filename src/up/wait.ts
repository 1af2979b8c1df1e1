import type { KubeApi, KubeObject } from '../kube/api.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';

/** How long a pod may take from its Deployment to being ready, milliseconds. */
const patience = 60_000;

export interface PodSelection {
  readonly namespace: string;
  /** Value of the label `app`. */
  readonly app: string;
  /** Not the one with this uid. */
  readonly not?: string;
}

/**
 * A pod that is ready, waited for by a watch.
 * @throws MeshrootError `pod-not-ready` with what the pod, or the Deployment's events, say
 */
export async function readyPod(
  kube: KubeApi,
  selection: PodSelection,
  signal: AbortSignal,
): Promise<KubeObject> {
  const stop = new AbortController();
  // A timer of its own: a timeout signal that only AbortSignal.any knows may be collected and then never fires.
  const timer = setTimeout(() => stop.abort(), patience);
  const either = AbortSignal.any([stop.signal, signal]);
  let found: KubeObject | undefined;
  let last: KubeObject | undefined;
  const type = { apiVersion: 'v1', kind: 'Pod' };
  const { namespace, app, not } = selection;
  try {
    await kube.watch(
      type,
      { namespace, labelSelector: `app=${app}` },
      (event) => {
        if (event.type === 'SYNCED' || event.type === 'DELETED' || event.object.metadata.uid === not) return;
        last = event.object;
        if (!isReady(event.object) || event.object.metadata.deletionTimestamp !== undefined) return;
        found = event.object;
        stop.abort();
      },
      either,
    );
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  if (found !== undefined) return found;
  throw new MeshrootError(
    'pod-not-ready',
    `${app} in ${namespace} did not get ready: ${await whyNot(kube, namespace, last)}`,
    {
      hint: `look: kubectl -n ${namespace} describe pods; kubectl -n ${namespace} get events`,
    },
  );
}

function isReady(pod: KubeObject): boolean {
  return conditionsOf(pod).some(({ type, status }) => type === 'Ready' && status === 'True');
}

function conditionsOf({ status }: KubeObject): Record<string, unknown>[] {
  return isRecord(status) && Array.isArray(status.conditions) ? status.conditions.filter(isRecord) : [];
}

/** What the containers say, or, when no pod came to be, what the events of the namespace say. */
async function whyNot(kube: KubeApi, namespace: string, pod: KubeObject | undefined): Promise<string> {
  const waiting = pod === undefined ? [] : containerReasons(pod);
  if (waiting.length > 0) return waiting.join(', ');
  const events = await kube.list({ apiVersion: 'v1', kind: 'Event' }, { namespace }).catch(() => []);
  const last = events.filter(({ type }) => type === 'Warning').at(-1);
  return typeof last?.message === 'string' ? last.message : 'no pod was made';
}

function containerReasons({ status }: KubeObject): string[] {
  if (!isRecord(status)) return [];
  const all = [status.initContainerStatuses, status.containerStatuses].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  return all.filter(isRecord).flatMap(({ name, state }) => {
    const { waiting, terminated } = isRecord(state) ? state : {};
    if (isRecord(terminated) && terminated.exitCode !== 0)
      return [`${name} ended with ${terminated.exitCode}: ${terminated.message ?? terminated.reason}`];
    return isRecord(waiting)
      ? [`${name} ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}`]
      : [];
  });
}
