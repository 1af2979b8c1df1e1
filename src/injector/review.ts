import { MeshrootError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { type Injection, inject } from './inject.ts';
import type { InjectorSettings } from './settings.ts';

/** The answer to one AdmissionReview, and what the webhook counts and logs of it. */
export interface ReviewResult {
  readonly review: AdmissionReview;
  readonly namespace: string;
  /** Undefined: refused. */
  readonly injection: Injection | undefined;
}

export interface AdmissionReview {
  readonly apiVersion: string;
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
  readonly warnings?: readonly string[];
  readonly status?: { readonly metadata: Record<string, never>; readonly message: string };
}

const versions = new Set(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1']);

/**
 * Answers an AdmissionReview in the version it came in (v1 when it says none).
 * @throws MeshrootError `bad-admission-review` (400) when it is none
 */
export function reviewAdmission(body: unknown, settings: InjectorSettings): ReviewResult {
  const {
    apiVersion = 'admission.k8s.io/v1',
    kind = 'AdmissionReview',
    request,
  } = asRecord(body, 'the body');
  if (kind !== 'AdmissionReview' || typeof apiVersion !== 'string' || !versions.has(apiVersion)) {
    throw notAReview('it is no AdmissionReview of admission.k8s.io/v1 or v1beta1');
  }
  const { uid, namespace = '', object } = asRecord(request, 'request');
  if (typeof uid !== 'string') throw notAReview('request.uid is not a string');
  if (typeof namespace !== 'string') throw notAReview('request.namespace is not a string');
  const { injection, response } = decide(uid, object, namespace, settings);
  return { review: { kind: 'AdmissionReview', apiVersion, response }, namespace, injection };
}

function decide(
  uid: string,
  object: unknown,
  namespace: string,
  settings: InjectorSettings,
): { injection: Injection | undefined; response: AdmissionResponse } {
  try {
    const injection = inject(object, namespace, settings);
    return { injection, response: allowed(uid, injection) };
  } catch (error) {
    // whatever went wrong, a pod that may have asked for secrets does not start without them
    return { injection: undefined, response: denied(uid, error) };
  }
}

function denied(uid: string, error: unknown): AdmissionResponse {
  return { allowed: false, uid, status: { metadata: {}, message: reason(error) } };
}

/** The same review refused after all: something that the pod needs could not be made. */
export function refusedAfterAll({ review, namespace }: ReviewResult, error: unknown): ReviewResult {
  const response = denied(review.response.uid, error);
  return { review: { ...review, response }, namespace, injection: undefined };
}

function allowed(uid: string, injection: Injection): AdmissionResponse {
  if (injection.kind === 'left-alone') return { uid, allowed: true };
  const patch = Buffer.from(JSON.stringify(injection.patch)).toString('base64');
  const warnings = injection.warnings.length === 0 ? {} : { warnings: injection.warnings };
  return { uid, allowed: true, patch, patchType: 'JSONPatch', ...warnings };
}

/** The answer as JSON. The patch is base64, which needs no escaping: looking for what does costs as much as making it. */
export function answerText({ response, ...head }: AdmissionReview): string {
  const { patch, ...rest } = response;
  const others = JSON.stringify(rest).slice(1);
  const own = patch === undefined ? '{' : `{"patch":"${patch}",`;
  return `${JSON.stringify(head).slice(0, -1)},"response":${own}${others}}`;
}

function reason(error: unknown): string {
  const hint = error instanceof MeshrootError ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)} (${hint})`;
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw notAReview(`${what} is ${value === undefined ? 'missing' : 'not an object'}`);
}

function notAReview(why: string): MeshrootError {
  return new MeshrootError('bad-admission-review', `error decoding admission request: ${why}`, {
    status: 400,
  });
}
