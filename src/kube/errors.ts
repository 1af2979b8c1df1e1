import { codeOf, MeshrootError, type MeshrootErrorOptions, messageOf } from '../lib/errors.ts';

/** A refusal of the API server, or the failure to reach it. */
export class KubeError extends MeshrootError {
  /** `reason` of the server's Status (`NotFound`, `Forbidden`, …); undefined when there was no answer. */
  readonly reason: string | undefined;

  constructor(code: string, message: string, options: MeshrootErrorOptions & { reason?: string } = {}) {
    super(code, message, options);
    this.reason = options.reason;
  }
}

interface Meaning {
  readonly code: string;
  readonly hint?: string;
}

/** `metav1.StatusReason` → our code. Reasons: k8s.io/apimachinery/pkg/apis/meta/v1/types.go */
const reasons: Readonly<Record<string, Meaning>> = {
  Unauthorized: {
    code: 'kube-unauthorized',
    hint: 'the token or client certificate is missing, expired or of another cluster: kubectl auth whoami',
  },
  Forbidden: {
    code: 'kube-forbidden',
    hint: 'this user lacks the permission: kubectl auth can-i --list',
  },
  NotFound: { code: 'kube-not-found' },
  AlreadyExists: { code: 'kube-already-exists' },
  Conflict: { code: 'kube-conflict', hint: 'someone else changed it in between: read it again and retry' },
  Gone: { code: 'kube-expired' },
  Expired: { code: 'kube-expired' },
  Invalid: { code: 'kube-invalid' },
  BadRequest: { code: 'kube-bad-request' },
  MethodNotAllowed: { code: 'kube-method-not-allowed' },
  NotAcceptable: { code: 'kube-not-acceptable' },
  UnsupportedMediaType: { code: 'kube-unsupported-media-type' },
  RequestEntityTooLarge: { code: 'kube-too-large' },
  TooManyRequests: { code: 'kube-busy', hint: 'the API server limits this client: retry later' },
  Timeout: { code: 'kube-timeout' },
  ServerTimeout: { code: 'kube-timeout' },
  InternalError: { code: 'kube-internal' },
  ServiceUnavailable: { code: 'kube-unavailable', hint: 'the API server is starting or overloaded: retry' },
};

/** Who sends no credentials is answered as this user, if at all. */
const anonymous: Meaning = {
  code: 'kube-forbidden',
  hint: 'the kubeconfig has no credentials for this cluster (user, or exec plugin): kubectl config view --minify',
};

/** Answers without a Status (a proxy, a load balancer) are read by their HTTP status. */
const reasonOfStatus: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** What a webhook did to a request, and who asked, is in the text only: apiserver/pkg/admission/plugin/webhook/errors/statuserror.go */
function meaningOfText(message: string): Meaning | undefined {
  if (/ User "system:anonymous" cannot /.test(message)) return anonymous;
  if (/admission webhook "[^"]*" denied the request/.test(message)) return { code: 'kube-admission-denied' };
  if (/failed calling webhook/.test(message)) {
    return {
      code: 'kube-webhook-failed',
      hint: 'the webhook did not answer: is its pod running, and does caBundle match its certificate?',
    };
  }
  return undefined;
}

/** The error of an answer with `httpStatus` >= 400 and `body` (a Status object, other JSON, or text). */
export function answerError(httpStatus: number, body: unknown, what: string): KubeError {
  const status: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const isStatus = status.kind === 'Status';
  const reason =
    isStatus && typeof status.reason === 'string' && status.reason !== ''
      ? status.reason
      : (reasonOfStatus[httpStatus] ?? 'Unknown');
  const text = isStatus && typeof status.message === 'string' ? status.message : '';
  const message = text || `the API server answered ${httpStatus} to ${what}`;
  const meaning = meaningOfText(message) ?? reasons[reason] ?? { code: 'kube-failed' };
  return new KubeError(meaning.code, message, {
    reason,
    status: httpStatus,
    exit: httpStatus >= 500 || httpStatus === 401 ? 2 : 1,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

/** The error of a call that got no answer. Node's codes: ECONNREFUSED, ENOTFOUND, TLS verification, … */
export function transportError(thrown: unknown, server: string): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const code = codeOf(thrown) ?? '';
  const because = { cause: thrown };
  if (untrusted.has(code)) {
    return new KubeError('kube-untrusted', `the certificate of ${server} is not signed by the cluster's CA`, {
      ...because,
      hint: 'certificate-authority in the kubeconfig belongs to another (or an older) cluster',
    });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'CERT_HAS_EXPIRED') {
    return new KubeError('kube-untrusted', `the certificate of ${server}: ${messageOf(thrown)}`, because);
  }
  const text = messageOf(thrown) || code || 'no answer';
  return new KubeError('kube-unreachable', `no answer from the API server ${server}: ${text}`, {
    ...because,
    hint: 'is the cluster running, and is this the right context? kubectl config get-contexts',
  });
}

/** True for a watch or list position that the server has forgotten. */
export function isExpired(thrown: unknown): boolean {
  return codeOf(thrown) === 'kube-expired';
}
