import type { IncomingMessage } from 'node:http';
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { jsonShape, parseJson } from '../lib/exact-json.ts';
import type { Fields } from '../vault/core/fields.ts';
import { isListing, isReading } from '../vault/core/listing.ts';
import { type Refusal, Refusal as RefusalError, refuse } from '../vault/core/refusal.ts';
import type { Operation, VaultRequest } from '../vault/core/request.ts';
import { listMethod, scanMethod } from './list-verb.ts';
import { wrapTtlOf } from './wrap-ttl.ts';

export const maxBodyBytes = 32 * 1024 * 1024;
const maxDepth = 300;

const noText = (status: number): Refusal => new RefusalError(status, 'bad-request', []);

/** What a line of HTTP asks for; the body is read later. @throws Refusal */
export function parseTarget(message: IncomingMessage): {
  readonly operation: Operation;
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const { method = '', url = '' } = message;
  const mark = url.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  const raw = mark === -1 ? url : url.slice(0, mark);
  if (!raw.startsWith('/v1/')) throw noText(404);
  const path = decodedPath(raw.slice(4));
  const operation = operationOf(method, path, query);
  if (isListing(operation) && !path.endsWith('/')) return { operation, path: `${path}/`, query };
  return { operation, path, query };
}

function decodedPath(raw: string): string {
  let path: string;
  try {
    path = raw.includes('%') ? decodeURIComponent(raw) : raw;
  } catch {
    throw refuse('the path is not well encoded');
  }
  const trimmed = path.replace(/^\/+/, '');
  if (trimmed.includes('.') && trimmed.split('/').some((part) => part === '.' || part === '..')) {
    throw refuse('relative paths not supported');
  }
  if (trimmed.includes('\0') || trimmed.includes('//')) throw refuse('the path has empty segments or NUL');
  return trimmed;
}

function operationOf(method: string, path: string, query: URLSearchParams): Operation {
  switch (method) {
    case 'GET':
      return readKind(query);
    case 'HEAD':
      if (path === 'sys/health') return 'read';
      throw noText(405);
    case 'POST':
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    case listMethod:
    case 'LIST': // HTTP/2 knows no fixed set of verbs
      return 'list';
    case scanMethod:
    case 'SCAN':
      return 'scan';
    default:
      throw noText(405);
  }
}

/** A GET lists with `list=true` and lists everything below with `scan=true`; both at once mean nothing. */
export function readKind(query: URLSearchParams): Operation {
  const [lists, scans] = ['list', 'scan'].map((name) => flag(query.get(name) ?? ''));
  if (lists && scans) throw noText(400);
  return lists ? 'list' : scans ? 'scan' : 'read';
}

function flag(said: string): boolean {
  if (/^(1|t|true)$/i.test(said)) return true;
  if (/^(|0|f|false)$/i.test(said)) return false;
  throw noText(400);
}

/** Everything of the call but its body. @throws Refusal */
export function parseHeaders(message: IncomingMessage): {
  readonly token: string | undefined;
  readonly wrapTtl: number | undefined;
} {
  const { headers } = message;
  const namespace = headers['x-vault-namespace'];
  if (namespace !== undefined && !['', '/', 'root', 'root/'].includes(String(namespace))) {
    throw refuse('namespace not found', 404, 'no-namespace');
  }
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const token = typeof headers['x-vault-token'] === 'string' ? headers['x-vault-token'] : bearer;
  const wrap = headers['x-vault-wrap-ttl'];
  // 0 asks for no wrapping: a wrapping token that never ends must not come of it.
  const wrapTtl = typeof wrap === 'string' && wrap !== '' ? wrapTtlOf(wrap) : 0;
  return { token, wrapTtl: wrapTtl === 0 ? undefined : wrapTtl };
}

/** The fields of a call: those of the query for reads and deletes, the body's otherwise. @throws Refusal */
export function parseFields(
  operation: Operation,
  query: URLSearchParams,
  body: Buffer,
  contentType: string,
): Fields {
  if (isReading(operation) || operation === 'delete') return fromPairs(query);
  if (body.length === 0) return {};
  const first = body[0];
  const isJson = first === 0x7b || first === 0x5b;
  if (!isJson && contentType.startsWith('application/x-www-form-urlencoded')) {
    return fromPairs(new URLSearchParams(body.toString('utf8')));
  }
  if (operation === 'patch' && !contentType.startsWith('application/merge-patch+json')) {
    const text = `PATCH requires Content-Type of application/merge-patch+json, provided ${contentType}`;
    throw refuse(text, 415, 'bad-content-type');
  }
  return fromJson(body);
}

function fromJson(body: Buffer): Fields {
  const shape = jsonShape(body);
  if (shape.depth > maxDepth) throw refuse('refused JSON input due to high complexity: nested too deeply');
  let value: unknown;
  try {
    value = parseJson(body, shape);
  } catch {
    throw refuse('failed to decode JSON input: the body is not valid JSON', 400, 'bad-json');
  }
  if (shape.hasInfinity) throw refuse('failed to decode JSON input: a number is too large', 400, 'bad-json');
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw refuse('failed to decode JSON input: the body is not a JSON object', 400, 'bad-json');
}

function fromPairs(pairs: URLSearchParams): Fields {
  const names = [...new Set(pairs.keys())].filter((name) => name !== 'list' && name !== 'scan');
  return Object.fromEntries(
    names.map((name) => {
      const values = pairs.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

/** Puts the parts of a call together. */
export function toVaultRequest(
  id: string,
  message: IncomingMessage,
  o: Pick<VaultRequest, 'operation' | 'path' | 'token' | 'wrapTtl' | 'data'>,
): VaultRequest {
  return {
    id,
    ...o,
    headers: message.headers,
    remoteAddress: message.socket.remoteAddress ?? '',
    remotePort: message.socket.remotePort ?? 0,
    ...(message.socket instanceof TLSSocket ? { peerCertificates: peerChain(message.socket) } : {}),
  };
}

/** Read only when somebody asks. */
const peerChain = (socket: TLSSocket) => (): readonly Buffer[] => {
  const chain: Buffer[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !chain.some((known) => known.equals(next?.raw ?? known))) {
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain;
};
