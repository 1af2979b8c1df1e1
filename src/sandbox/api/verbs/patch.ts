import { messageOf } from '../../../lib/errors.ts';
import { applyPatch as applyJsonPatch, parsePatch as parseJsonPatch } from '../../../lib/json-patch.ts';
import { type PatchType, parsePatch } from '../body.ts';
import type { Call } from '../exchange.ts';
import { type ApiObject, type Fields, isFields } from '../fields.ts';
import { resourceOf } from '../kinds.ts';
import { applyMergePatch } from '../merge-patch.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { applyStrategicMerge } from '../strategic-merge.ts';
import { createObject } from './create.ts';
import { updateObject } from './update.ts';

export interface Patched {
  readonly object: ApiObject;
  readonly created: boolean;
}

/**
 * Patches the object that the call names. Server-side apply is thin: the configuration is merged into the object by
 * the strategic rules, without field ownership; so it creates and changes, but removes nothing that it no longer names.
 */
export async function patchObject(call: Call): Promise<Patched> {
  const { type, patch } = parsePatch(call.request);
  const { kind, namespace, name } = call.info;
  if (type === 'apply') {
    const body = checkApply(call, patch);
    const missing = call.around.store.get(resourceOf(kind), namespace, name) === undefined;
    if (missing && call.info.subresource === '') {
      const metadata = isFields(body.metadata) ? body.metadata : {};
      return {
        object: await createObject(call, { ...body, metadata: { ...metadata, name } }),
        created: true,
      };
    }
  }
  const object = await updateObject(call, (current) => {
    const result = applyPatch(type, current, patch);
    if (!isFields(result)) throw badRequest('the patched object is no object');
    // a patch means the object as it is, unless it names a version itself
    return namesVersion(type, patch) ? result : withoutVersion(result);
  });
  return { object, created: false };
}

function checkApply(call: Call, patch: unknown): Fields {
  if (!isFields(patch)) throw badRequest('the apply configuration is no object');
  if (call.request.query.get('fieldManager') === null) {
    const why = 'fieldManager: Required value: is required for apply patch';
    throw new StatusError(422, 'Invalid', `PatchOptions.meta.k8s.io "" is invalid: ${why}`);
  }
  return patch;
}

/** One patch applied to one object, by any of the four rules. */
export function applyPatch(type: PatchType, current: ApiObject, patch: unknown): unknown {
  switch (type) {
    case 'json':
      return applyJson(current, patch);
    case 'merge':
      return applyMergePatch(current, patch);
    case 'strategic':
    case 'apply':
      return applyStrategicMerge(current, patch, current.kind);
  }
}

function applyJson(current: ApiObject, patch: unknown): unknown {
  try {
    return applyJsonPatch(current, parseJsonPatch(patch));
  } catch (error) {
    const message = 'the server rejected our request due to an error in our request';
    const cause = { reason: 'UnexpectedServerResponse', message: messageOf(error) };
    throw new StatusError(422, 'Invalid', message, { causes: [cause] });
  }
}

const namesVersion = (type: PatchType, patch: unknown): boolean =>
  type === 'json' ||
  (isFields(patch) && isFields(patch.metadata) && patch.metadata.resourceVersion !== undefined);

function withoutVersion(object: Fields): Fields {
  const { resourceVersion: _, ...metadata } = isFields(object.metadata) ? object.metadata : {};
  return { ...object, metadata };
}
