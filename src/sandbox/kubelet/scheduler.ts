import type { KubeApi, KubeObject } from '../../kube/api.ts';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { isRecord } from '../../lib/records.ts';

export interface SchedulerOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
}

/** Binds every pod without a node to this one, until aborted: the whole scheduler of a cluster with one node. */
export async function schedule(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { kube, logger } = options;
  await kube.watch(
    { apiVersion: 'v1', kind: 'Pod' },
    {
      fieldSelector: 'spec.nodeName=',
      onProblem: (error) => logger.warn('watch of unscheduled pods', { why: messageOf(error) }),
    },
    (event) => {
      if (event.type === 'ADDED' && wantsNode(event.object)) void bind(options, event.object, signal);
    },
    signal,
  );
}

function wantsNode(pod: KubeObject): boolean {
  const spec = isRecord(pod.spec) ? pod.spec : {};
  const scheduler = spec.schedulerName ?? 'default-scheduler';
  return !spec.nodeName && scheduler === 'default-scheduler' && pod.metadata.deletionTimestamp === undefined;
}

/** `POST pods/NAME/binding`; asked again when the API server is not to be had. */
async function bind(options: SchedulerOptions, pod: KubeObject, signal: AbortSignal): Promise<void> {
  const { kube, clock, logger, nodeName } = options;
  const { name, namespace = 'default', uid } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
  for (let attempt = 0; attempt < 8 && !signal.aborted; attempt++) {
    try {
      await kube.request('POST', path, body);
      return;
    } catch (error) {
      if (['kube-conflict', 'kube-not-found'].includes(codeOf(error) ?? '')) return; // bound by another, or gone
      logger.warn('a pod could not be bound', { pod: `${namespace}/${name}`, why: messageOf(error) });
      await clock.sleep(200 * 2 ** attempt, signal).catch(() => {});
    }
  }
}
