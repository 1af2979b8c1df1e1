import { type ApiObject, type Fields, fieldsAt, listAt, textAt, textsAt, valueAt } from '../fields.ts';
import { labelsMatch, parseSelectorObject } from '../selectors.ts';
import type { Store } from '../store.ts';
import type { AdmissionRequest } from './admission-request.ts';

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

/** Whether a webhook (of a Mutating- or ValidatingWebhookConfiguration) wants to see this request. */
export function webhookMatches(hook: unknown, request: AdmissionRequest, store: Store): boolean {
  return (
    listAt(hook, 'rules').some((rule) => ruleMatches(rule, request)) &&
    namespaceMatches(valueAt(hook, 'namespaceSelector'), request, store) &&
    objectMatches(valueAt(hook, 'objectSelector'), request)
  );
}

function ruleMatches(rule: unknown, { kind, operation, subresource }: AdmissionRequest): boolean {
  const scope = textAt(rule, 'scope');
  if (scope === 'Cluster' && kind.namespaced) return false;
  if (scope === 'Namespaced' && !kind.namespaced) return false;
  return (
    has(textsAt(rule, 'operations'), operation) &&
    has(textsAt(rule, 'apiGroups'), kind.group) &&
    has(textsAt(rule, 'apiVersions'), kind.version) &&
    textsAt(rule, 'resources').some((pattern) => resourceMatches(pattern, kind.plural, subresource))
  );
}

function resourceMatches(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub = ''] = pattern.split('/');
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource);
}

/** Namespaces are judged by their own labels; other cluster-scoped objects always match. */
function namespaceMatches(selector: unknown, request: AdmissionRequest, store: Store): boolean {
  const isNamespace = request.kind.group === '' && request.kind.plural === 'namespaces';
  if (!request.kind.namespaced && !isNamespace) return true;
  const object = isNamespace
    ? (request.object ?? request.oldObject)
    : store.get('namespaces', '', request.namespace);
  return labelsMatch(parseSelectorObject(selector), object?.metadata.labels ?? {});
}

function objectMatches(selector: unknown, request: AdmissionRequest): boolean {
  const requirements = parseSelectorObject(selector);
  return [request.object, request.oldObject].some(
    (object) => object !== undefined && labelsMatch(requirements, object.metadata.labels ?? {}),
  );
}

/** The `request` of an AdmissionReview. */
export function reviewOf(uid: string, request: AdmissionRequest, object: ApiObject | undefined): Fields {
  const { kind, user } = request;
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const gvr = { group: kind.group, version: kind.version, resource: kind.plural };
  const sub = request.subresource;
  return {
    uid,
    kind: gvk,
    resource: gvr,
    ...(sub === '' ? {} : { subResource: sub }),
    requestKind: gvk,
    requestResource: gvr,
    ...(sub === '' ? {} : { requestSubResource: sub }),
    ...(request.name === '' ? {} : { name: request.name }),
    ...(request.namespace === '' ? {} : { namespace: request.namespace }),
    operation: request.operation,
    userInfo: {
      username: user.username,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: object ?? null,
    oldObject: request.oldObject ?? null,
    dryRun: request.dryRun,
    options: request.options,
  };
}

/** Webhooks of all configurations of a kind, in the order of the configurations' names, as they are called. */
export function webhooksOf(store: Store, plural: string): { configuration: string; hook: Fields }[] {
  return store.list(`${plural}.admissionregistration.k8s.io`).flatMap((configuration) =>
    listAt(configuration, 'webhooks').map((hook) => ({
      configuration: configuration.metadata.name ?? '',
      hook: fieldsAt({ hook }, 'hook'),
    })),
  );
}
