import { createHmac } from 'node:crypto';
import { isExactNumber } from '../../lib/exact-json.ts';
import type { AclAnswer } from '../policy/acl.ts';
import type { AuditStyle } from './audit-options.ts';
import type { AuditedHeader } from './audited-headers.ts';
import type { Fields } from './fields.ts';
import { fullPath, type MountSeen } from './mount-entry.ts';
import type { Reply, Result, VaultRequest } from './request.ts';
import type { RequestAuth } from './request-auth.ts';

/** What is known about a call when one of its two records is written. */
export interface AuditEvent {
  readonly type: 'request' | 'response';
  /** Milliseconds. */
  readonly time: number;
  readonly request: VaultRequest;
  /** Those that people want to see. */
  readonly headers?: readonly AuditedHeader[];
  readonly operation: string;
  readonly mounted: MountSeen | undefined;
  readonly auth: RequestAuth | undefined;
  readonly acl: AclAnswer | undefined;
  readonly error: string | undefined;
  readonly result?: Result | undefined;
  readonly reply?: Reply;
}

export type Hasher = (text: string) => string;

/** `hmac-sha256:` and the hex digest under the device's own salt. */
export function createHasher(salt: Buffer): Hasher {
  return (text) => `hmac-sha256:${createHmac('sha256', salt).update(text).digest('hex')}`;
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Every text at any depth hashed; keys, numbers, booleans and RFC 3339 times stay, and so do exempt top-level names. */
export function hashValues(data: unknown, hash: Hasher, exempt: readonly string[] = []): unknown {
  if (typeof data === 'string') return timestamp.test(data) || isExactNumber(data) ? data : hash(data);
  if (Array.isArray(data)) return data.map((item) => hashValues(item, hash));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, exempt.includes(key) ? value : hashValues(value, hash)]),
  );
}

/** What of a device's options changes its records. */
export type RecordStyle = Pick<AuditStyle, 'hashAccessors' | 'elideLists'>;

const hashesAll: RecordStyle = { hashAccessors: true, elideLists: false };

interface Hashes {
  readonly text: Hasher;
  readonly accessor: Hasher;
}

/** One record, without secrets: what cannot be known is left out, as upstream does. */
export function auditRecord(event: AuditEvent, hash: Hasher, style: RecordStyle = hashesAll): Fields {
  const hashes = { text: hash, accessor: style.hashAccessors ? hash : (text: string) => text };
  return {
    time: new Date(event.time).toISOString(),
    type: event.type,
    auth: authPart(event, hashes),
    request: requestPart(event, hashes),
    ...(event.type === 'response' ? { response: responsePart(event, hashes, style) } : {}),
    ...(event.error === undefined ? {} : { error: event.error }),
  };
}

function authPart({ auth, acl }: AuditEvent, { text: hash, accessor }: Hashes): Fields {
  if (auth === undefined) return { token_type: 'default' };
  const { token, clientToken, entity } = auth;
  return {
    client_token: hash(clientToken),
    accessor: accessor(token.accessor),
    display_name: token.displayName,
    policies: [...new Set([...token.policies, ...(entity?.policies ?? [])])],
    token_policies: token.policies,
    ...(entity === undefined ? {} : { entity_id: entity.id, identity_policies: entity.policies }),
    ...(acl === undefined
      ? {}
      : {
          policy_results: {
            allowed: acl.allowed,
            granting_policies: acl.allowed
              ? acl.granting.map((name) => ({ name, namespace_id: 'root', type: 'acl' }))
              : [],
          },
        }),
    ...(token.meta === null ? {} : { metadata: token.meta }),
    ...(token.numUses === 0 ? {} : { num_uses: token.numUses }),
    ...(token.noDefaultPolicy === true ? { no_default_policy: true } : {}),
    token_type: token.type ?? 'service',
    token_ttl: Math.floor(token.ttl / 1000),
    token_issue_time: new Date(token.created).toISOString(),
  };
}

function mountPart(mounted: MountSeen | undefined, versionKey: string): Fields {
  if (mounted === undefined) return {};
  const { entry, backend } = mounted;
  return {
    mount_point: fullPath(entry),
    mount_type: entry.type,
    mount_accessor: entry.accessor,
    mount_class: entry.kind,
    [versionKey]: backend.version,
  };
}

function requestPart(
  { request, headers = [], operation, mounted, auth }: AuditEvent,
  { text: hash, accessor }: Hashes,
): Fields {
  const exempt = mounted?.entry.config.audit_non_hmac_request_keys ?? [];
  return {
    id: request.id,
    operation,
    ...mountPart(mounted, 'mount_running_version'),
    ...(request.token === undefined ? {} : { client_token: hash(request.token) }),
    ...(auth === undefined ? {} : { client_token_accessor: accessor(auth.token.accessor) }),
    namespace: { id: 'root' },
    path: request.path,
    ...(Object.keys(request.data).length === 0 ? {} : { data: hashValues(request.data, hash, exempt) }),
    remote_address: request.remoteAddress,
    remote_port: request.remotePort,
    ...(request.wrapTtl === undefined ? {} : { wrap_ttl: request.wrapTtl }),
    ...(headers.length === 0 ? {} : { headers: headersPart(headers, hash) }),
  };
}

const headersPart = (headers: readonly AuditedHeader[], hash: Hasher): Fields =>
  Object.fromEntries(headers.map(({ name, values, hmac }) => [name, hmac ? values.map(hash) : values]));

function responsePart(
  { result, mounted, operation, error }: AuditEvent,
  hashes: Hashes,
  { elideLists }: RecordStyle,
): Fields {
  const exempt = mounted?.entry.config.audit_non_hmac_response_keys ?? [];
  const answered = result?.data ?? (result?.envelope?.data as Fields | null | undefined);
  const isList = elideLists && operation === 'list' && answered !== null && answered !== undefined;
  const shown = isList ? elided(answered) : answered;
  const data = error === undefined ? shown : { error };
  const wrapInfo = result?.envelope?.wrap_info as Fields | null | undefined;
  return {
    ...mountPart(mounted, 'mount_running_plugin_version'),
    ...(result?.auth === undefined ? {} : { auth: responseAuth(result.auth, hashes) }),
    ...(result?.leaseId === undefined ? {} : { secret: { lease_id: result.leaseId } }),
    ...(data === undefined || data === null ? {} : { data: hashValues(data, hashes.text, exempt) }),
    ...(result?.warnings === undefined ? {} : { warnings: result.warnings }),
    ...(wrapInfo === undefined || wrapInfo === null ? {} : { wrap_info: wrapPart(wrapInfo, hashes) }),
  };
}

/** Lists by their length, for stores where they are long. */
function elided({ keys, key_info, ...rest }: Fields): Fields {
  return {
    ...rest,
    ...(Array.isArray(keys) ? { keys: keys.length } : {}),
    ...(key_info === undefined || key_info === null ? {} : { key_info: Object.keys(key_info).length }),
  };
}

/** A wrapping token is as good as what it wraps. */
function wrapPart({ token, accessor, wrapped_accessor, ...rest }: Fields, hashes: Hashes): Fields {
  return {
    ...rest,
    token: hashes.text(String(token)),
    accessor: hashes.accessor(String(accessor)),
    ...(wrapped_accessor === undefined
      ? {}
      : { wrapped_accessor: hashes.accessor(String(wrapped_accessor)) }),
  };
}

function responseAuth(auth: NonNullable<Result['auth']>, { text, accessor }: Hashes): Fields {
  return {
    client_token: text(auth.client_token),
    accessor: accessor(auth.accessor),
    policies: auth.policies,
    token_policies: auth.token_policies,
    ...(auth.metadata === null ? {} : { metadata: auth.metadata }),
    ...(auth.entity_id === '' ? {} : { entity_id: auth.entity_id }),
    token_type: auth.token_type,
    token_ttl: auth.lease_duration,
  };
}
