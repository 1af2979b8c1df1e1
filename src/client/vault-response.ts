import { isRecord } from '../lib/records.ts';
/** The envelope of Vault's answers. */
export interface VaultResponse {
  readonly request_id: string;
  readonly lease_id: string;
  readonly renewable: boolean;
  /** Seconds. */
  readonly lease_duration: number;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly warnings: readonly string[] | null;
  readonly auth: VaultAuth | null;
  readonly wrap_info: Readonly<Record<string, unknown>> | null;
}

export interface VaultAuth {
  readonly client_token: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly token_policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Seconds. */
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly entity_id: string;
  readonly token_type: string;
  readonly orphan: boolean;
  readonly num_uses: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads an answer's body: an envelope as it is; the bare objects of sys/health, sys/init and the like appear under
 * `data`. Missing keys get their empty value.
 */
export function toVaultResponse(body: unknown): VaultResponse | undefined {
  if (!isRecord(body)) return undefined;
  const enveloped = 'request_id' in body;
  return {
    request_id: text(body.request_id),
    lease_id: text(body.lease_id),
    renewable: body.renewable === true,
    lease_duration: number(body.lease_duration),
    data: enveloped ? (isRecord(body.data) ? body.data : null) : body,
    warnings: Array.isArray(body.warnings) ? body.warnings.map(String) : null,
    auth: isRecord(body.auth) ? toAuth(body.auth) : null,
    wrap_info: isRecord(body.wrap_info) ? body.wrap_info : null,
  };
}

function toAuth(auth: Fields): VaultAuth {
  return {
    client_token: text(auth.client_token),
    accessor: text(auth.accessor),
    policies: texts(auth.policies),
    token_policies: texts(auth.token_policies),
    metadata: isRecord(auth.metadata)
      ? Object.fromEntries(Object.entries(auth.metadata).map(([key, value]) => [key, String(value)]))
      : null,
    lease_duration: number(auth.lease_duration),
    renewable: auth.renewable === true,
    entity_id: text(auth.entity_id),
    token_type: text(auth.token_type),
    orphan: auth.orphan === true,
    num_uses: number(auth.num_uses),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
