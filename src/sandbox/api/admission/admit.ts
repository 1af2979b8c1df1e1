import { applyDefaults } from '../defaults.ts';
import { type Call, isDryRun } from '../exchange.ts';
import { type ApiObject, type Fields, fieldsAt, textAt } from '../fields.ts';
import { groupVersionOf, type Kind } from '../kinds.ts';
import { forbidden, notFound, StatusError } from '../status-error.ts';
import type { AdmissionRequest } from './admission-request.ts';
import { admitServiceAccount } from './service-account.ts';
import { mutate, type WebhookSurroundings } from './webhooks.ts';

type Change = Pick<AdmissionRequest, 'operation' | 'object' | 'oldObject'>;

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** The call as admission sees it. */
export function admissionRequest(call: Call, change: Change, kind: Kind = call.info.kind): AdmissionRequest {
  const object = change.object ?? change.oldObject;
  const options: Fields = { kind: optionKinds[change.operation], apiVersion: 'meta.k8s.io/v1' };
  const manager = call.request.query.get('fieldManager');
  if (manager !== null) options.fieldManager = manager;
  if (isDryRun(call)) options.dryRun = ['All'];
  return {
    ...change,
    kind,
    namespace: object?.metadata.namespace ?? '',
    name: object?.metadata.name ?? '',
    subresource: call.info.subresource,
    user: call.user,
    dryRun: isDryRun(call),
    options,
  };
}

export const webhookSurroundings = (call: Call): WebhookSurroundings => ({
  store: call.around.store,
  resolveService: call.around.resolveService,
  warn: (text) => call.warnings.push(text),
});

/**
 * The mutating half of admission: the ServiceAccount plugin, then the webhooks, then the plugin and defaulting again
 * for what they added. What comes out still has to be validated.
 */
export async function admit(call: Call, change: Change): Promise<ApiObject | undefined> {
  const request = admissionRequest(call, change);
  const store = call.around.store;
  const object = admitServiceAccount(request, store);
  const between = (changed: ApiObject): ApiObject => {
    const again = admitServiceAccount({ ...request, object: changed }, store) ?? changed;
    applyDefaults(request.kind, again);
    return again;
  };
  const admitted = await mutate({ ...request, object }, webhookSurroundings(call), between);
  if (admitted !== undefined && object !== undefined) keepIdentity(admitted, object, request);
  return admitted;
}

function keepIdentity(admitted: ApiObject, before: ApiObject, request: AdmissionRequest): void {
  const same = (field: 'name' | 'namespace' | 'uid') => admitted.metadata[field] === before.metadata[field];
  if (same('name') && same('namespace') && same('uid') && admitted.kind === before.kind) return;
  throw forbidden(
    request.kind,
    request.name,
    'a webhook may not change name, namespace, uid or kind of an object',
  );
}

/**
 * Nothing is created in a namespace that is not there or on its way out (the NamespaceLifecycle plugin).
 * @throws StatusError 404 or 403
 */
export function admitNamespace(call: Call, kind: Kind, namespace: string, name: string): void {
  if (!kind.namespaced) return;
  const found = call.around.store.get('namespaces', '', namespace);
  const namespaces: Kind = { ...kind, group: '', plural: 'namespaces' };
  if (found === undefined) throw notFound(namespaces, namespace);
  if (textAt(found, 'status', 'phase') !== 'Terminating') return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { message, details } = forbidden(kind, name, why).body;
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  throw new StatusError(403, 'Forbidden', message ?? why, { ...details, causes: [cause] });
}

/** A body may leave kind and apiVersion out; when it has them they must be those of the path. */
export function checkType(kind: Kind, body: Fields): void {
  const version = textAt(body, 'apiVersion');
  const expected = groupVersionOf(kind);
  const mismatch = (what: string, got: string, wanted: string) =>
    new StatusError(
      400,
      'BadRequest',
      `the ${what} in the data (${got}) does not match the expected ${what} (${wanted})`,
    );
  if (version !== '' && version !== expected) throw mismatch('API version', version, expected);
  const got = textAt(body, 'kind');
  if (got !== '' && got !== kind.kind) throw mismatch('kind', got, kind.kind);
  checkTexts(kind, body);
}

/** Texts that people often write as YAML numbers or booleans: `enabled: true` among the labels, `port: 80` in data. */
function checkTexts(kind: Kind, body: Fields): void {
  const metadata = fieldsAt(body, 'metadata');
  for (const field of ['name', 'namespace', 'generateName']) {
    checkText(kind, `ObjectMeta.metadata.${field}`, metadata[field]);
  }
  for (const field of ['labels', 'annotations']) {
    for (const value of Object.values(fieldsAt(metadata, field)))
      checkText(kind, `ObjectMeta.metadata.${field}`, value);
  }
  const maps = { ConfigMap: ['data'], Secret: ['data', 'stringData'] }[kind.kind] ?? [];
  for (const field of maps) {
    for (const value of Object.values(fieldsAt(body, field))) {
      checkText(kind, `${kind.kind}.${field}`, value);
      if (kind.kind === 'Secret' && field === 'data') checkBase64(kind, value);
    }
  }
}

function checkText(kind: Kind, field: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === 'string') return;
  const type = typeof value === 'boolean' ? 'bool' : typeof value === 'object' ? 'object' : 'number';
  throw unreadable(kind, `json: cannot unmarshal ${type} into Go struct field ${field} of type string`);
}

function checkBase64(kind: Kind, value: unknown): void {
  if (typeof value !== 'string') return;
  const wrong = /[^A-Za-z0-9+/=\r\n]/.exec(value);
  const length = value.replace(/[\r\n]/g, '').length;
  if (wrong === null && length % 4 === 0) return;
  throw unreadable(kind, `illegal base64 data at input byte ${wrong?.index ?? value.length}`);
}

function unreadable(kind: Kind, why: string): StatusError {
  const what = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  return new StatusError(400, 'BadRequest', `${what}: ${why}`);
}
