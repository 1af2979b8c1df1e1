import { jsonEqual } from '../../../lib/json-equal.ts';
import { admissionRequest, admit, checkType, webhookSurroundings } from '../admission/admit.ts';
import { validateByWebhooks } from '../admission/webhooks.ts';
import { applyDefaults } from '../defaults.ts';
import { type Call, isDryRun } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, isFields, listAt, type Metadata, textAt } from '../fields.ts';
import { groupVersionOf, resourceOf } from '../kinds.ts';
import { badRequest, conflict, invalid, modified, notFound } from '../status-error.ts';
import { validate } from '../validate.ts';

/**
 * Changes the object that the call names. `next` gives the whole new object; it is asked again when someone else was
 * faster, unless its answer names the resourceVersion that it was made from.
 * @throws StatusError 404, 409, 422 or a webhook's denial
 */
export async function updateObject(call: Call, next: (current: ApiObject) => Fields): Promise<ApiObject> {
  const { kind, namespace, name } = call.info;
  const { store } = call.around;
  for (let attempt = 0; ; attempt++) {
    const current = store.get(resourceOf(kind), namespace, name);
    if (current === undefined) throw notFound(kind, name);
    const proposed = next(current);
    checkType(kind, proposed);
    const pinned = checkPreconditions(call, current, fieldsAt(proposed, 'metadata'));
    const changed = await admitted(call, carryOver(call, current, proposed), current);
    if (jsonEqual(changed, current) || isDryRun(call)) return changed;
    const stored = store.update(resourceOf(kind), changed, current.metadata.resourceVersion ?? '');
    if (stored !== undefined) return removeWhenReleased(call, stored);
    if (pinned || attempt === 5) throw modified(kind, name);
  }
}

/** Whether the client pinned the version it means. */
function checkPreconditions(call: Call, current: ApiObject, given: Fields): boolean {
  const { kind, name } = call.info;
  const own = textAt(given, 'name');
  if (own !== '' && own !== name) {
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  }
  const namespace = textAt(given, 'namespace');
  if (kind.namespaced && namespace !== '' && namespace !== call.info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const uid = textAt(given, 'uid');
  if (uid !== '' && uid !== current.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
    throw conflict(kind, name, why);
  }
  const version = textAt(given, 'resourceVersion');
  if (version !== '' && version !== current.metadata.resourceVersion) throw modified(kind, name);
  return version !== '';
}

async function admitted(call: Call, object: ApiObject, current: ApiObject): Promise<ApiObject> {
  const { kind } = call.info;
  applyDefaults(kind, object);
  const change = { operation: 'UPDATE', object, oldObject: current } as const;
  const result = (await admit(call, change)) ?? object;
  if (kind.generation && contentChanged(result, current)) {
    result.metadata = { ...result.metadata, generation: (current.metadata.generation ?? 0) + 1 };
  }
  if (call.info.subresource === '') validate(kind, result, current);
  await validateByWebhooks(admissionRequest(call, { ...change, object: result }), webhookSurroundings(call));
  return result;
}

function contentChanged(a: ApiObject, b: ApiObject): boolean {
  const { metadata: _a, status: _as, ...left } = a;
  const { metadata: _b, status: _bs, ...right } = b;
  return !jsonEqual(left, right);
}

/** What the client may change from what it sent, the rest from what is there. */
function carryOver(call: Call, current: ApiObject, proposed: Fields): ApiObject {
  const { kind, subresource } = call.info;
  const metadata = carryMetadata(call, current.metadata, fieldsAt(proposed, 'metadata'));
  if (subresource === 'status')
    return structuredClone({ ...current, metadata, status: proposed.status ?? {} });
  const { apiVersion: _v, kind: _k, metadata: _m, ...content } = structuredClone(proposed);
  if (kind.subresources.includes('status')) {
    if (current.status === undefined) delete content.status;
    else content.status = structuredClone(current.status);
  }
  if (resourceOf(kind) === 'namespaces' && subresource !== 'finalize') content.spec = current.spec;
  if (resourceOf(kind) === 'services' && isFields(content.spec)) {
    content.spec.clusterIP ??= fieldsAt(current, 'spec').clusterIP;
    content.spec.clusterIPs ??= fieldsAt(current, 'spec').clusterIPs;
  }
  return { apiVersion: groupVersionOf(kind), kind: kind.kind, metadata, ...content };
}

function carryMetadata(call: Call, current: Metadata, given: Fields): Metadata {
  const { managedFields: _, selfLink: __, ...kept } = structuredClone(given);
  const fixed: Metadata = { ...kept };
  for (const field of [
    'name',
    'namespace',
    'uid',
    'generateName',
    'resourceVersion',
    'generation',
  ] as const) {
    carry(fixed, current, field);
  }
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    carry(fixed, current, field);
  }
  if (current.deletionTimestamp !== undefined) refuseNewFinalizers(call, current, fixed);
  return fixed;
}

function carry(target: Metadata, current: Metadata, field: string): void {
  if (current[field] === undefined) delete target[field];
  else target[field] = current[field];
}

function refuseNewFinalizers(call: Call, current: Metadata, next: Metadata): void {
  const added = (next.finalizers ?? []).filter((f) => !(current.finalizers ?? []).includes(f));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => `"${f}"`).join(', ')}}`;
  throw invalid(call.info.kind, call.info.name, [
    { field: 'metadata.finalizers', reason: 'FieldValueForbidden', message },
  ]);
}

/** An object on its way out leaves the store when its last finalizer has gone. */
function removeWhenReleased(call: Call, stored: ApiObject): ApiObject {
  const { metadata } = stored;
  const waiting = metadata.deletionTimestamp === undefined || (metadata.deletionGracePeriodSeconds ?? 0) > 0;
  if (waiting || isHeld(stored)) return stored;
  const resource = resourceOf(call.info.kind);
  call.around.store.delete(resource, metadata.namespace ?? '', metadata.name ?? '', metadata.resourceVersion);
  return stored;
}

/** Whether a finalizer keeps an object that was deleted; namespaces have theirs in spec too. */
export function isHeld(object: ApiObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  return object.kind === 'Namespace' && listAt(object, 'spec', 'finalizers').length > 0;
}
