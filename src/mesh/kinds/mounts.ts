import type { VaultClient } from '../../client/vault-client.ts';
import { isRecord } from '../../lib/records.ts';

/** One row of `sys/mounts` or `sys/auth`, the parts that meshroot looks at. */
export interface MountRow {
  readonly type: string;
  readonly description: string;
  /** Seconds. */
  readonly defaultLeaseTtl: number;
  readonly maxLeaseTtl: number;
  readonly options: Readonly<Record<string, unknown>>;
  /** Request keys that the audit log shows in clear. */
  readonly clearKeys: readonly string[];
}

/** The mount at `path` in `sys/mounts` or `sys/auth`, or undefined. */
export async function mountRow(
  vault: VaultClient,
  table: 'sys/mounts' | 'sys/auth',
  path: string,
): Promise<MountRow | undefined> {
  const row = (await vault.read(table))?.data?.[`${path}/`];
  if (!isRecord(row)) return undefined;
  const config = isRecord(row.config) ? row.config : {};
  return {
    type: String(row.type ?? ''),
    description: String(row.description ?? ''),
    defaultLeaseTtl: Number(config.default_lease_ttl ?? 0),
    maxLeaseTtl: Number(config.max_lease_ttl ?? 0),
    options: isRecord(row.options) ? row.options : {},
    clearKeys: Array.isArray(config.audit_non_hmac_request_keys)
      ? config.audit_non_hmac_request_keys.map(String)
      : [],
  };
}
