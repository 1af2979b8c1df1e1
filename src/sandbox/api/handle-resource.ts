import { parseBody } from './body.ts';
import type { ApiReply, Call } from './exchange.ts';
import type { ApiObject, Fields } from './fields.ts';
import { resourceOf } from './kinds.ts';
import { representList, representObject, type View } from './represent.ts';
import { answerReview } from './reviews.ts';
import { badRequest, methodNotAllowed, notFound } from './status-error.ts';
import { bindPod } from './subresources/binding.ts';
import { readPodLog } from './subresources/pod-log.ts';
import { readScale, writeScale } from './subresources/scale.ts';
import { requestToken } from './subresources/token-request.ts';
import { createObject } from './verbs/create.ts';
import { deleteObject, deleteOptions } from './verbs/delete.ts';
import { filterOf, listObjects } from './verbs/list.ts';
import { patchObject } from './verbs/patch.ts';
import { updateObject } from './verbs/update.ts';
import { watchObjects } from './verbs/watch.ts';

const viewOf = (call: Call): View => ({
  accepted: call.accepted,
  kind: call.info.kind,
  includeObject: call.request.query.get('includeObject') ?? 'Metadata',
  now: call.around.clock.now(),
});

/** Does what an authorized request for objects asks. @throws StatusError */
export async function handleResource(call: Call): Promise<ApiReply> {
  const { kind, subresource } = call.info;
  if (kind.transient) {
    if (call.info.verb !== 'create' || call.info.name !== '') throw methodNotAllowed();
    return { status: 201, body: await answerReview(call, parseBody(call.request)) };
  }
  const special = subresourceHandlers[subresource];
  if (special !== undefined) return await special(call);
  return await verbHandlers[call.info.verb](call);
}

const shown = (call: Call, object: ApiObject, status = 200): ApiReply => ({
  status,
  body: representObject(object, viewOf(call)),
});

const verbHandlers: Readonly<Record<Call['info']['verb'], (call: Call) => ApiReply | Promise<ApiReply>>> = {
  get: (call) => {
    const { kind, namespace, name } = call.info;
    const object = call.around.store.get(resourceOf(kind), namespace, name);
    if (object === undefined) throw notFound(kind, name);
    return shown(call, object);
  },
  list: (call) => {
    const { objects, metadata } = listObjects(call);
    return { status: 200, body: representList(objects, metadata, viewOf(call)) };
  },
  watch: (call) => ({
    status: 200,
    stream: watchObjects(call, viewOf(call)),
    contentType: call.accepted.as === 'object' ? 'application/json' : `application/json;stream=watch`,
  }),
  create: async (call) => {
    if (call.info.name !== '') throw methodNotAllowed();
    return shown(call, await createObject(call, parseBody(call.request)), 201);
  },
  update: async (call) => {
    if (call.info.name === '') throw methodNotAllowed();
    const body = parseBody(call.request);
    return shown(call, await updateObject(call, () => body));
  },
  patch: async (call) => {
    if (call.info.name === '') throw methodNotAllowed();
    const { object, created } = await patchObject(call);
    return shown(call, object, created ? 201 : 200);
  },
  delete: async (call) => {
    if (call.info.subresource !== '') throw methodNotAllowed();
    const options = deleteOptions(parseBody(call.request), call.request.query);
    const { object, gone } = await deleteObject(call, call.info.name, options);
    const asObject = !gone || resourceOf(call.info.kind) === 'pods'; // what has grace is shown as it went
    return asObject ? shown(call, object) : { status: 200, body: deletedStatus(call, object) };
  },
  deletecollection: async (call) => {
    const { kind, namespace } = call.info;
    if (kind.namespaced && namespace === '') throw methodNotAllowed();
    const options = deleteOptions(parseBody(call.request), call.request.query);
    const store = call.around.store;
    const all = store.list(resourceOf(kind), namespace === '' ? undefined : namespace).filter(filterOf(call));
    for (const object of all) await deleteObject(call, object.metadata.name ?? '', options);
    const metadata = { resourceVersion: String(store.revision) };
    return { status: 200, body: representList(all, metadata, viewOf(call)) };
  },
};

function deletedStatus(call: Call, object: ApiObject): Fields {
  const { group, plural } = call.info.kind;
  const { name, uid } = object.metadata;
  return success({ name, ...(group === '' ? {} : { group }), kind: plural, uid }, 200);
}

const success = (details: Fields | undefined, code: number): Fields => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(details === undefined ? {} : { details }),
  ...(code === 200 ? {} : { code }),
});

/** Subresources with verbs of their own; `status` and `finalize` are the object's. */
const subresourceHandlers: Readonly<Record<string, (call: Call) => Promise<ApiReply>>> = {
  log: async (call) => {
    if (call.request.method !== 'GET') throw methodNotAllowed();
    return await readPodLog(call);
  },
  token: async (call) => {
    if (call.info.verb !== 'create') throw methodNotAllowed();
    return { status: 201, body: await requestToken(call, parseBody(call.request)) };
  },
  binding: async (call) => {
    if (call.info.verb !== 'create') throw methodNotAllowed();
    await bindPod({ ...call, info: { ...call.info, subresource: '' } }, parseBody(call.request));
    return { status: 201, body: success(undefined, 201) };
  },
  scale: async (call) => {
    if (call.info.verb === 'get') return { status: 200, body: readScale(call) };
    if (call.info.verb === 'update') {
      return { status: 200, body: await writeScale(call, parseBody(call.request)) };
    }
    if (call.info.verb !== 'patch') throw badRequest('a scale is read, updated or patched');
    return { status: 200, body: await writeScale(call, undefined) };
  },
};
