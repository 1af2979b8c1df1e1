import type { Call } from '../exchange.ts';
import { type ApiObject, isFields, numberAt, textAt } from '../fields.ts';
import { resourceOf } from '../kinds.ts';
import type { ListMeta } from '../represent.ts';
import { fieldsMatch, labelsMatch, parseFieldSelector, parseLabelSelector } from '../selectors.ts';
import { badRequest, StatusError } from '../status-error.ts';

/** Whether an object is in the view of a list or watch: namespace, labels, fields, and a name in the path. */
export function filterOf(call: Call): (object: ApiObject) => boolean {
  const { kind, namespace, name } = call.info;
  const { query } = call.request;
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', resourceOf(kind));
  return (object) =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    (name === '' || object.metadata.name === name) &&
    labelsMatch(labels, object.metadata.labels) &&
    fieldsMatch(fields, object);
}

/** The objects of a collection, in pages when `limit` asks for it. */
export function listObjects(call: Call): { objects: ApiObject[]; metadata: ListMeta } {
  const { kind, namespace } = call.info;
  const { store } = call.around;
  const { query } = call.request;
  refuseFuture(query.get('resourceVersion') ?? '', store.revision);
  const all = store.list(resourceOf(kind), namespace === '' ? undefined : namespace).filter(filterOf(call));
  const page = parseContinue(query.get('continue') ?? '');
  const rest = page === undefined ? all : all.filter((object) => keyOf(object) > page.after);
  const resourceVersion = String(page?.revision ?? store.revision);
  const limit = Number(query.get('limit') ?? 0);
  if (!(limit > 0) || rest.length <= limit) return { objects: rest, metadata: { resourceVersion } };
  const objects = rest.slice(0, limit);
  const last = objects.at(-1);
  const token = { v: 1, rv: Number(resourceVersion), start: last === undefined ? '' : keyOf(last) };
  const next = Buffer.from(JSON.stringify(token)).toString('base64url');
  return {
    objects,
    metadata: { resourceVersion, continue: next, remainingItemCount: rest.length - limit },
  };
}

const keyOf = (object: ApiObject): string =>
  `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;

function parseContinue(token: string): { revision: number; after: string } | undefined {
  if (token === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const revision = numberAt(parsed, 'rv');
    if (isFields(parsed) && revision !== undefined) return { revision, after: textAt(parsed, 'start') };
  } catch {
    // falls through to the refusal
  }
  throw badRequest('invalid continue token: continue key is not valid: not a token of this server');
}

/** @throws StatusError 400 when it is no number */
export function checkVersion(wanted: string): void {
  if (/^\d*$/.test(wanted)) return;
  const why = `Invalid value: "${wanted}": strconv.ParseUint: parsing "${wanted}": invalid syntax`;
  throw badRequest(`invalid resource version: resourceVersion: ${why}`);
}

/** A client that has seen a later revision than this server has must not be shown the past. */
function refuseFuture(wanted: string, current: number): void {
  if (wanted === '') return;
  checkVersion(wanted);
  if (Number(wanted) <= current) return;
  const message = `Too large resource version: ${wanted}, current: ${current}`;
  throw new StatusError(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
