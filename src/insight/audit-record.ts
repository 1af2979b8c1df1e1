import { isRecord } from '../lib/records.ts';

/** The parts of a Vault audit line that insight looks at. */
export interface AuditRecord {
  readonly type: 'request' | 'response';
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly error: string;
  readonly requestId: string;
  readonly operation: string;
  readonly path: string;
  /** With its slash: `auth/kubernetes-cluster1/`; empty when the request reached none. */
  readonly mount: string;
  /** The role that a login asked for, when the mount does not hash that key. */
  readonly askedRole: string | undefined;
  /** HMACs of the token and the accessor that came with the request. */
  readonly token: string | undefined;
  readonly accessor: string | undefined;
  readonly auth: AuditAuth | undefined;
  /** What a successful login handed out. */
  readonly granted: AuditAuth | undefined;
  readonly remoteAddress: string;
}

export interface AuditAuth {
  readonly token: string | undefined;
  readonly displayName: string;
  readonly role: string | undefined;
  readonly policies: readonly string[];
  /** Undefined when Vault does not say whether a policy allowed it. */
  readonly allowed: boolean | undefined;
  /** Seconds; 0 = does not end. */
  readonly ttl: number;
}

/** The record of one line of an audit log, or undefined when the line is none (half-written, foreign). */
export function parseAuditLine(line: string): AuditRecord | undefined {
  const data = toJson(line);
  if (!isRecord(data) || (data.type !== 'request' && data.type !== 'response')) return undefined;
  const request = isRecord(data.request) ? data.request : {};
  const response = isRecord(data.response) ? data.response : {};
  return {
    type: data.type,
    time: Date.parse(text(data.time)) || 0,
    error: text(data.error),
    requestId: text(request.id),
    operation: text(request.operation),
    path: text(request.path),
    mount: text(request.mount_point) || mountOf(text(request.path)),
    askedRole: clear(isRecord(request.data) ? request.data.role : undefined),
    token: text(request.client_token) || undefined,
    accessor: text(request.client_token_accessor) || undefined,
    auth: parseAuth(data.auth),
    granted: parseAuth(response.auth),
    remoteAddress: text(request.remote_address),
  };
}

function parseAuth(value: unknown): AuditAuth | undefined {
  if (!isRecord(value)) return undefined;
  const results = isRecord(value.policy_results) ? value.policy_results : {};
  return {
    token: text(value.client_token) || undefined,
    displayName: text(value.display_name),
    role: isRecord(value.metadata) ? clear(value.metadata.role) : undefined,
    policies: Array.isArray(value.policies) ? value.policies.map(text) : [],
    allowed: typeof results.allowed === 'boolean' ? results.allowed : undefined,
    ttl: typeof value.token_ttl === 'number' ? value.token_ttl : 0,
  };
}

/** A request that was refused before it was routed carries no mount: its first path segments are the best guess. */
function mountOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (first === '') return '';
  return first === 'auth' ? `auth/${second}/` : `${first}/`;
}

const clear = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && !value.startsWith('hmac-') ? value : undefined;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function toJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
