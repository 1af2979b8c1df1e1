import { randomUUID } from 'node:crypto';
import { messageOf } from '../../../lib/errors.ts';
import { jsonEqual } from '../../../lib/json-equal.ts';
import { applyPatch as applyJsonPatch, parsePatch as parseJsonPatch } from '../../../lib/json-patch.ts';
import {
  type ApiObject,
  type Fields,
  fieldsAt,
  isFields,
  listAt,
  numberAt,
  textAt,
  valueAt,
} from '../fields.ts';
import { badRequest, internal, type StatusDetails, StatusError } from '../status-error.ts';
import type { Store } from '../store.ts';
import type { AdmissionRequest } from './admission-request.ts';
import { conditionsHold } from './match-conditions.ts';
import { callWebhook, type ServiceResolver, WebhookCallError } from './webhook-call.ts';
import { reviewOf, webhookMatches, webhooksOf } from './webhook-match.ts';

export interface WebhookSurroundings {
  readonly store: Store;
  readonly resolveService: ServiceResolver;
  /** `Warning` texts for the client. */
  readonly warn: (text: string) => void;
}

/** Webhooks see no change of the webhook configurations themselves, so that a broken one can be mended. */
const exempt = (request: AdmissionRequest): boolean =>
  request.kind.group === 'admissionregistration.k8s.io' || request.kind.transient;

/**
 * Asks the mutating webhooks one after the other; `between` runs after each change (the built-in plugins again).
 * Those with `reinvocationPolicy: IfNeeded` are asked once more when the object changed after their turn.
 * @throws StatusError the webhook's denial, or 500 when it cannot be asked and its failurePolicy is Fail
 */
export async function mutate(
  request: AdmissionRequest,
  around: WebhookSurroundings,
  between: (object: ApiObject) => ApiObject,
): Promise<ApiObject | undefined> {
  let object = request.object;
  if (exempt(request)) return object;
  const hooks = webhooksOf(around.store, 'mutatingwebhookconfigurations');
  const seen = new Map<Fields, ApiObject | undefined>();
  for (const { hook } of hooks) {
    if (!webhookMatches(hook, { ...request, object }, around.store)) continue;
    object = await mutateOnce(hook, request, object, around, between);
    seen.set(hook, object);
  }
  for (const [hook, result] of seen) {
    if (hook.reinvocationPolicy !== 'IfNeeded' || jsonEqual(result, object)) continue;
    object = await mutateOnce(hook, request, object, around, between);
  }
  return object;
}

async function mutateOnce(
  hook: Fields,
  request: AdmissionRequest,
  object: ApiObject | undefined,
  around: WebhookSurroundings,
  between: (object: ApiObject) => ApiObject,
): Promise<ApiObject | undefined> {
  const response = await ask(hook, request, object, around);
  const patch = textAt(response, 'patch');
  if (response === undefined || patch === '' || object === undefined) return object;
  return between(patched(hook, object, patch));
}

function patched(hook: Fields, object: ApiObject, patch: string): ApiObject {
  try {
    const operations = parseJsonPatch(JSON.parse(Buffer.from(patch, 'base64').toString('utf8')));
    const result = applyJsonPatch(object, operations);
    if (!isFields(result) || !isFields(result.metadata)) throw new Error('the patched object is no object');
    return result as ApiObject;
  } catch (error) {
    throw internal(`failed calling webhook "${textAt(hook, 'name')}": invalid patch: ${messageOf(error)}`);
  }
}

/**
 * Asks all validating webhooks at once.
 * @throws StatusError the first denial
 */
export async function validateByWebhooks(
  request: AdmissionRequest,
  around: WebhookSurroundings,
): Promise<void> {
  if (exempt(request)) return;
  const hooks = webhooksOf(around.store, 'validatingwebhookconfigurations').filter(({ hook }) =>
    webhookMatches(hook, request, around.store),
  );
  await Promise.all(hooks.map(({ hook }) => ask(hook, request, request.object, around)));
}

/** The response of one webhook that allows; undefined when it could not be asked and may be passed over. */
async function ask(
  hook: Fields,
  request: AdmissionRequest,
  object: ApiObject | undefined,
  around: WebhookSurroundings,
): Promise<Fields | undefined> {
  const name = textAt(hook, 'name');
  if (request.dryRun && !['None', 'NoneOnDryRun'].includes(textAt(hook, 'sideEffects'))) {
    throw badRequest(`admission webhook "${name}" does not support dry run`);
  }
  let response: Fields;
  try {
    if (!conditionsHold(hook, request, object)) return undefined;
    const review = reviewOf(randomUUID(), request, object);
    response = await callWebhook(hook, review, {
      resolve: around.resolveService,
      serviceExists: (namespace, name) => around.store.get('services', namespace, name) !== undefined,
    });
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    const text = `failed calling webhook "${name}": ${error.message}`;
    if (hook.failurePolicy === 'Ignore') return undefined;
    throw internal(text);
  }
  for (const warning of listAt(response, 'warnings')) around.warn(String(warning));
  if (response.allowed !== true) throw denial(name, fieldsAt(response, 'status'));
  return response;
}

/** k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go */
function denial(name: string, status: Fields): StatusError {
  const code = Math.max(numberAt(status, 'code') ?? 400, 400);
  const reason = textAt(status, 'reason');
  const why = textAt(status, 'message') || reason;
  const text = `admission webhook "${name}" denied the request`;
  const details = valueAt(status, 'details');
  const message = why === '' ? `${text} without explanation` : `${text}: ${why}`;
  return new StatusError(code, reason, message, isFields(details) ? (details as StatusDetails) : undefined);
}
