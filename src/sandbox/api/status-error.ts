import { type Kind, resourceOf } from './kinds.ts';

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** What Kubernetes answers instead of an object: `kind: Status`. */
export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Failure' | 'Success';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** A refusal in the words of a real API server (k8s.io/apimachinery/pkg/api/errors). */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly body: StatusBody;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }

  get code(): number {
    return this.body.code;
  }
}

const detailsOf = (kind: Kind, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(kind.group === '' ? {} : { group: kind.group }),
  kind: kind.plural,
});

export const notFound = (kind: Kind, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${resourceOf(kind)} "${name}" not found`, detailsOf(kind, name));

export const alreadyExists = (kind: Kind, name: string): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${resourceOf(kind)} "${name}" already exists`,
    detailsOf(kind, name),
  );

export const conflict = (kind: Kind, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${why}`,
    detailsOf(kind, name),
  );

export const modified = (kind: Kind, name: string): StatusError =>
  conflict(
    kind,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** `why` follows `pods "x" is forbidden: `. */
export const forbidden = (kind: Kind, name: string, why: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${resourceOf(kind)} ${name === '' ? '' : `"${name}" `}is forbidden: ${why}`,
    detailsOf(kind, name),
  );

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

export const pathNotFound = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );

export const internal = (message: string): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

/** The log entry `too old resource version`: the client has to list again. */
export const expired = (wanted: string, oldest: number): StatusError =>
  new StatusError(410, 'Expired', `too old resource version: ${wanted} (${oldest})`);

/** A field that is not as it must be; `message` as `Required value: name is required`. */
export interface FieldError {
  readonly field: string;
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported';
  readonly message: string;
}

/** `Pod "x" is invalid: metadata.name: Required value: …`, several ones in brackets. */
export function invalid(kind: Kind, name: string, errors: readonly FieldError[]): StatusError {
  const texts = errors.map((e) => `${e.field}: ${e.message}`);
  const why = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new StatusError(422, 'Invalid', `${qualified} "${name}" is invalid: ${why}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: errors.map((e) => ({ reason: e.reason, message: e.message, field: e.field })),
  });
}
