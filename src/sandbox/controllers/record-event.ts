import { createHash } from 'node:crypto';
import { messageOf } from '../../lib/errors.ts';
import { type ApiObject, numberAt, timestamp } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import type { Cluster } from './controller.ts';

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Which controller says so. */
  readonly component: string;
}

/** An Event about an object, for `kubectl describe`; the same one again only counts up. Never fails its caller. */
export async function recordEvent(cluster: Cluster, about: ApiObject, event: EventText): Promise<void> {
  const { namespace = 'default', name = '', uid = '', resourceVersion } = about.metadata;
  const hash = createHash('sha256')
    .update(JSON.stringify([uid, event]))
    .digest('hex')
    .slice(0, 16);
  const eventName = `${name}.${hash}`;
  const now = timestamp(cluster.clock.now());
  const known = cluster.store.get('events', namespace, eventName);
  try {
    if (known !== undefined) {
      const count = (numberAt(known, 'count') ?? 1) + 1;
      await cluster.api.mergePatch(kindOfResource('events'), known, { count, lastTimestamp: now });
      return;
    }
    await cluster.api.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        namespace,
        name,
        uid,
        resourceVersion,
      },
      type: event.type,
      reason: event.reason,
      message: event.message,
      source: { component: event.component },
      reportingComponent: event.component,
      reportingInstance: '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  } catch (error) {
    cluster.log.debug(`event ${event.reason} for ${namespace}/${name}: ${messageOf(error)}`);
  }
}
