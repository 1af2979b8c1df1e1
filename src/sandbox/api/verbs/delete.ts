import { admissionRequest, webhookSurroundings } from '../admission/admit.ts';
import { validateByWebhooks } from '../admission/webhooks.ts';
import { type Call, isDryRun } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, numberAt, textAt, timestamp } from '../fields.ts';
import { type Kind, resourceOf } from '../kinds.ts';
import { conflict, modified, notFound } from '../status-error.ts';
import { isHeld } from './update.ts';

export interface Deleted {
  readonly object: ApiObject;
  /** False while finalizers or a kubelet still have to let go. */
  readonly gone: boolean;
}

/** DeleteOptions from the body, or from the query as client-go's older callers send them. */
export function deleteOptions(body: Fields, query: URLSearchParams): Fields {
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...body,
  };
}

/**
 * Deletes one object, or marks it as on its way out when finalizers hold it or it is a running pod.
 * @throws StatusError 404, 409 when a precondition fails, or a webhook's denial
 */
export async function deleteObject(call: Call, name: string, options: Fields): Promise<Deleted> {
  const { kind, namespace } = call.info;
  const { store } = call.around;
  for (let attempt = 0; ; attempt++) {
    const current = store.get(resourceOf(kind), namespace, name);
    if (current === undefined) throw notFound(kind, name);
    checkPreconditions(kind, current, options);
    const change = { operation: 'DELETE', object: undefined, oldObject: current } as const;
    await validateByWebhooks(admissionRequest(call, change), webhookSurroundings(call));
    const done = isDryRun(call) ? { object: current, gone: true } : remove(call, current, options);
    if (done !== undefined) return done;
    if (attempt === 5) throw modified(kind, name);
  }
}

function checkPreconditions(kind: Kind, current: ApiObject, options: Fields): void {
  const wanted = fieldsAt(options, 'preconditions');
  const name = current.metadata.name ?? '';
  const uid = textAt(wanted, 'uid');
  if (uid !== '' && uid !== current.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
    throw conflict(kind, name, why);
  }
  const version = textAt(wanted, 'resourceVersion');
  if (version !== '' && version !== current.metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${current.metadata.resourceVersion}`;
    throw conflict(kind, name, why);
  }
}

/** Undefined when someone else changed the object meanwhile. */
function remove(call: Call, current: ApiObject, options: Fields): Deleted | undefined {
  const { kind } = call.info;
  const { store, clock } = call.around;
  const resource = resourceOf(kind);
  const grace = graceOf(resource, current, options);
  const marked = mark(current, grace, clock.now(), options);
  const version = current.metadata.resourceVersion ?? '';
  if (grace === 0 && !isHeld(marked)) {
    const object = store.delete(
      resource,
      current.metadata.namespace ?? '',
      current.metadata.name ?? '',
      version,
    );
    if (object === undefined) return undefined;
    const { resourceVersion } = object.metadata;
    return {
      object: { ...marked, metadata: { ...marked.metadata, resourceVersion: resourceVersion ?? '' } },
      gone: true,
    };
  }
  if (isMarked(current, grace)) return { object: current, gone: false };
  const object = store.update(resource, marked, version);
  return object === undefined ? undefined : { object, gone: false };
}

const isMarked = (current: ApiObject, grace: number): boolean =>
  current.metadata.deletionTimestamp !== undefined &&
  (current.metadata.deletionGracePeriodSeconds ?? 0) <= grace;

/** Seconds that a pod has to stop; 0 for everything that runs nowhere. */
function graceOf(resource: string, current: ApiObject, options: Fields): number {
  if (resource !== 'pods') return 0;
  const phase = textAt(current, 'status', 'phase');
  if (textAt(current, 'spec', 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = numberAt(current, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  return Math.max(0, numberAt(options, 'gracePeriodSeconds') ?? own);
}

const propagationFinalizers: Readonly<Record<string, string>> = {
  Foreground: 'foregroundDeletion',
  Orphan: 'orphan',
};

function mark(current: ApiObject, grace: number, now: number, options: Fields): ApiObject {
  const extra = propagationFinalizers[textAt(options, 'propagationPolicy')];
  const finalizers = [
    ...new Set([...(current.metadata.finalizers ?? []), ...(extra === undefined ? [] : [extra])]),
  ];
  const metadata = {
    ...current.metadata,
    deletionTimestamp: current.metadata.deletionTimestamp ?? timestamp(now + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...(finalizers.length > 0 ? { finalizers } : {}),
  };
  if (current.kind !== 'Namespace') return { ...current, metadata };
  return { ...current, metadata, status: { ...fieldsAt(current, 'status'), phase: 'Terminating' } };
}
