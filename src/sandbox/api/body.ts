import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../lib/errors.ts';
import type { ApiRequest } from './exchange.ts';
import { type Fields, isFields } from './fields.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { badRequest, StatusError } from './status-error.ts';

/** As kube-apiserver: 3 MiB. */
export const maxBody = 3 * 1024 * 1024;

const mediaTypeOf = (request: ApiRequest): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';

const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** @throws StatusError 415, so that a client which speaks protobuf only learns what to send */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const list = accepted.join(', ');
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${list}`,
  );
}

/** The object in the body, JSON or YAML; an empty body is an empty object. */
export function parseBody(request: ApiRequest): Fields {
  const type = mediaTypeOf(request);
  if (request.body.length === 0) return {};
  if (type === 'application/vnd.kubernetes.protobuf') return parseProtobuf(request.body);
  if (type === 'application/cbor') throw unsupportedMediaType(bodyTypes);
  if (!bodyTypes.includes(type)) throw unsupportedMediaType(bodyTypes);
  const parsed =
    type === 'application/yaml' ? parseYamlText(textOf(request)) : parseJsonText(textOf(request));
  if (!isFields(parsed)) throw badRequest('the object provided is unrecognized: not an object');
  return parsed;
}

function parseProtobuf(body: Uint8Array): Fields {
  let decoded: Fields | undefined;
  try {
    decoded = decodeProtobuf(body);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${messageOf(error)}`);
  }
  if (decoded === undefined) throw unsupportedMediaType(bodyTypes);
  return decoded;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The patch in the body and how it is to be applied. */
export function parsePatch(request: ApiRequest): { type: PatchType; patch: unknown } {
  const type = patchTypes[mediaTypeOf(request)];
  if (type === undefined) throw unsupportedMediaType(Object.keys(patchTypes));
  const text = textOf(request);
  return { type, patch: type === 'apply' ? parseYamlText(text) : parseJsonText(text) };
}

const textOf = (request: ApiRequest): string => Buffer.from(request.body).toString('utf8');

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized: couldn't get version/kind; json parse error: ${messageOf(error)}`,
    );
  }
}

function parseYamlText(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${messageOf(error)}`);
  }
}
