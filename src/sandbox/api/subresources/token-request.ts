import type { Call } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, numberAt, textAt, textsAt, timestamp } from '../fields.ts';
import { kindOfResource } from '../kinds.ts';
import { type BoundObject, serviceAccountIssuer, type TokenSpec } from '../service-account-tokens.ts';
import { badRequest, conflict, notFound, StatusError } from '../status-error.ts';

const boundResources = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as const;

/** `POST serviceaccounts/NAME/token`: a TokenRequest (authentication.k8s.io/v1) with its answer in status. */
export async function requestToken(call: Call, body: Fields): Promise<Fields> {
  const { namespace, name, kind } = call.info;
  const { store, tokens, clock } = call.around;
  const account = store.get('serviceaccounts', namespace, name);
  if (account === undefined) throw notFound(kind, name);
  const expirationSeconds = numberAt(body, 'spec', 'expirationSeconds') ?? 3600;
  checkExpiration(expirationSeconds);
  const audiences = textsAt(body, 'spec', 'audiences');
  const spec: TokenSpec = {
    namespace,
    name,
    uid: account.metadata.uid ?? '',
    audiences: audiences.length > 0 ? audiences : [serviceAccountIssuer],
    expirationSeconds,
    ...boundOf(call, fieldsAt(body, 'spec', 'boundObjectRef')),
  };
  const { token, expires } = await tokens.issue(spec);
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(clock.now()) },
    spec: {
      audiences: spec.audiences,
      expirationSeconds,
      boundObjectRef: fieldsAt(body, 'spec').boundObjectRef ?? null,
    },
    status: { token, expirationTimestamp: timestamp(expires) },
  };
}

function checkExpiration(seconds: number): void {
  const why =
    seconds < 600
      ? 'may not specify a duration less than 10 minutes'
      : seconds > 2 ** 32
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (why === undefined) return;
  const message = `Invalid value: ${seconds}: ${why}`;
  throw new StatusError(
    422,
    'Invalid',
    `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`,
    {
      group: 'authentication.k8s.io',
      kind: 'TokenRequest',
      causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }],
    },
  );
}

function boundOf(call: Call, reference: Fields): Pick<TokenSpec, 'bound' | 'node'> {
  const kind = textAt(reference, 'kind');
  if (kind === '') return {};
  if (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') {
    throw badRequest(`cannot bind token to object of type ${textAt(reference, 'apiVersion')}, Kind=${kind}`);
  }
  const object = findBound(call, kind, textAt(reference, 'name'), textAt(reference, 'uid'));
  const bound: BoundObject = { kind, name: object.metadata.name ?? '', uid: object.metadata.uid ?? '' };
  if (kind !== 'Pod') return { bound };
  if (textAt(object, 'spec', 'serviceAccountName') !== call.info.name) {
    throw badRequest(
      `cannot bind token for serviceaccount "${call.info.name}" to pod running with different serviceaccount name.`,
    );
  }
  const nodeName = textAt(object, 'spec', 'nodeName');
  const node = call.around.store.get('nodes', '', nodeName);
  return node === undefined ? { bound } : { bound, node: { name: nodeName, uid: node.metadata.uid ?? '' } };
}

function findBound(call: Call, kind: keyof typeof boundResources, name: string, uid: string): ApiObject {
  const resource = boundResources[kind];
  const object = call.around.store.get(resource, kind === 'Node' ? '' : call.info.namespace, name);
  if (object === undefined) throw notFound(kindOfResource(resource), name);
  if (uid !== '' && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(kindOfResource(resource), name, why);
  }
  return object;
}
