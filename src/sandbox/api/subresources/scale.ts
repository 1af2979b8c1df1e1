import { parsePatch } from '../body.ts';
import type { Call } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, isFields, numberAt, valueAt } from '../fields.ts';
import { resourceOf } from '../kinds.ts';
import { notFound } from '../status-error.ts';
import { applyPatch } from '../verbs/patch.ts';
import { updateObject } from '../verbs/update.ts';

/** The `scale` of a workload (autoscaling/v1). */
export function readScale(call: Call): Fields {
  const { kind, namespace, name } = call.info;
  const object = call.around.store.get(resourceOf(kind), namespace, name);
  if (object === undefined) throw notFound(kind, name);
  return scaleOf(object);
}

function scaleOf(object: ApiObject): Fields {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const labels = fieldsAt(object, 'spec', 'selector', 'matchLabels');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, 'spec', 'replicas') ?? 0 },
    status: {
      replicas: numberAt(object, 'status', 'replicas') ?? 0,
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(','),
    },
  };
}

/** PUT or PATCH of a `scale`; the workload itself gets the new number of replicas. */
export async function writeScale(call: Call, body: Fields | undefined): Promise<Fields> {
  const whole: Call = { ...call, info: { ...call.info, subresource: '' } };
  const updated = await updateObject(whole, (current) => {
    const scale = body ?? patchedScale(call, current);
    const version = valueAt(scale, 'metadata', 'resourceVersion');
    const { resourceVersion: _, ...metadata } = current.metadata;
    return {
      ...current,
      metadata:
        typeof version === 'string' && body !== undefined
          ? { ...metadata, resourceVersion: version }
          : metadata,
      spec: { ...fieldsAt(current, 'spec'), replicas: numberAt(scale, 'spec', 'replicas') ?? 0 },
    };
  });
  return scaleOf(updated);
}

function patchedScale(call: Call, current: ApiObject): Fields {
  const { type, patch } = parsePatch(call.request);
  const result = applyPatch(type, scaleOf(current) as ApiObject, patch);
  return isFields(result) ? result : {};
}
