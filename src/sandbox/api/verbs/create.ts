import { randomUUID } from 'node:crypto';
import {
  admissionRequest,
  admit,
  admitNamespace,
  checkType,
  webhookSurroundings,
} from '../admission/admit.ts';
import { randomSuffix } from '../admission/service-account.ts';
import { validateByWebhooks } from '../admission/webhooks.ts';
import { applyDefaults } from '../defaults.ts';
import { type Call, isDryRun } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, isFields, textAt, timestamp } from '../fields.ts';
import { groupVersionOf, resourceOf } from '../kinds.ts';
import { alreadyExists, badRequest, methodNotAllowed } from '../status-error.ts';
import { validate } from '../validate.ts';

/**
 * Creates an object: metadata and defaults filled in, admission, validation, store.
 * @param body as the client sent it; not changed
 * @throws StatusError
 */
export async function createObject(call: Call, body: Fields): Promise<ApiObject> {
  const { kind } = call.info;
  const { store } = call.around;
  const object = newObject(call, body);
  admitNamespace(call, kind, object.metadata.namespace ?? '', object.metadata.name ?? '');
  applyDefaults(kind, object);
  if (resourceOf(kind) === 'services') allocateClusterIp(object, store.revision);
  const admitted = (await admit(call, { operation: 'CREATE', object, oldObject: undefined })) ?? object;
  return await finish(call, admitted);
}

async function finish(call: Call, admitted: ApiObject): Promise<ApiObject> {
  const { kind } = call.info;
  const base = admitted.metadata.generateName ?? '';
  const generated = (admitted.metadata.name ?? '') === '' && base !== '';
  for (let attempt = 0; ; attempt++) {
    const name = generated ? `${base.slice(0, 58)}${randomSuffix()}` : (admitted.metadata.name ?? '');
    const object = { ...admitted, metadata: withName(admitted.metadata, name) };
    validate(kind, object);
    const change = { operation: 'CREATE', object, oldObject: undefined } as const;
    await validateByWebhooks(admissionRequest(call, change), webhookSurroundings(call));
    if (isDryRun(call)) return object;
    const stored = call.around.store.create(resourceOf(kind), object);
    if (stored !== undefined) return stored;
    if (!generated || attempt === 7) throw alreadyExists(kind, name);
  }
}

const withName = (metadata: ApiObject['metadata'], name: string): ApiObject['metadata'] => ({
  ...metadata,
  name,
});

function newObject(call: Call, body: Fields): ApiObject {
  const { kind, namespace } = call.info;
  if (kind.namespaced && namespace === '') throw methodNotAllowed();
  checkType(kind, body);
  const copy = structuredClone(body);
  const given = fieldsAt(copy, 'metadata');
  if (textAt(given, 'resourceVersion') !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const own = textAt(given, 'namespace');
  if (kind.namespaced && own !== '' && own !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { managedFields: _, selfLink: __, namespace: ___, ...kept } = given;
  const { apiVersion: _v, kind: _k, metadata: _m, ...content } = copy;
  // transient things come from here only; a client's status is not taken over where it has an endpoint of its own
  if (kind.subresources.includes('status') && isFields(content.status) && kind.plural !== 'nodes') {
    delete content.status;
  }
  return {
    apiVersion: groupVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...kept,
      ...(kind.namespaced ? { namespace } : {}),
      uid: randomUUID(),
      creationTimestamp: timestamp(call.around.clock.now()),
      ...(kind.generation ? { generation: 1 } : {}),
    },
    ...content,
  };
}

/** An address for show: nothing listens there, since a sandbox has no service network. */
function allocateClusterIp(service: ApiObject, seed: number): void {
  const spec = fieldsAt(service, 'spec');
  if (spec.clusterIP !== undefined || spec.type === 'ExternalName') return;
  const ip = `10.96.${(seed >> 8) % 256}.${(seed % 254) + 1}`;
  spec.clusterIP = ip;
  spec.clusterIPs = [ip];
}
