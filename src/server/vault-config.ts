import { MeshrootError } from '../lib/errors.ts';
import { parseHcl } from '../lib/hcl/parse.ts';
import { type HclEntry, HclError, type HclObject, labelledBlocks, plainValue } from '../lib/hcl/tree.ts';
import type { AuditDevice } from '../vault/core/audit-broker.ts';
import { type SystemTtls, systemTtl } from '../vault/core/mount-entry.ts';
import { duration, oneOf, switchOf, text, textOf, texts, unknownKey } from './config-values.ts';
import { type LogLevel, logLevels } from './text-log.ts';
import { type ListenerConfig, readListener } from './vault-listener-config.ts';

export interface VaultConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly storage: { readonly type: 'lmdb'; readonly path: string } | { readonly type: 'inmem' };
  readonly audit: readonly AuditDevice[];
  readonly auditFolders: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: 'standard' | 'json';
  readonly metrics: boolean;
  /** Also written to, beside standard error. */
  readonly logFile?: string;
  readonly systemTtls?: SystemTtls;
  readonly apiAddress?: string;
}

/** Known to Vault, without a meaning here. */
const ignored = [
  'cache_size',
  'cluster_addr',
  'cluster_cipher_suites',
  'cluster_name',
  'detect_deadlocks',
  'disable_cache',
  'disable_clustering',
  'disable_indexing',
  'disable_mlock',
  'disable_performance_standby',
  'disable_printable_check',
  'disable_sealwrap',
  'disable_sentinel_trace',
  'disable_standby_reads',
  'enable_response_header_hostname',
  'enable_response_header_raft_node_id',
  'imprecise_lease_role_tracking',
  'introspection_endpoint',
  'log_requests_level',
  'log_rotate_bytes',
  'log_rotate_duration',
  'log_rotate_max_files',
  'pid_file',
  'plugin_directory',
  'plugin_file_permissions',
  'plugin_file_uid',
  'raw_storage_endpoint',
  'ui',
];
const known = [
  ...ignored,
  'listener',
  'storage',
  'backend',
  'audit',
  'audit_folders',
  'unsafe_allow_api_audit_creation',
  'api_addr',
  'default_lease_ttl',
  'max_lease_ttl',
  'default_max_request_duration',
  'log_file',
  'log_level',
  'log_format',
  'telemetry',
];

type Draft = { -readonly [K in keyof VaultConfig]: VaultConfig[K] } & {
  defaultTtl?: number;
  maxTtl?: number;
  maxRequestMs?: number;
};

/**
 * The configuration file of `vault server`, in HCL or JSON. Storage `file` means our lmdb store in that folder.
 * @throws MeshrootError `bad-config` with file, line and column
 */
export function parseVaultConfig(text: string, file: string): VaultConfig {
  const draft: Partial<Draft> = {};
  const listeners: ListenerConfig[] = [];
  try {
    for (const entry of parseHcl(text).entries) readEntry(draft, listeners, entry);
    if (listeners.length === 0)
      throw new HclError('there is no listener "tcp" block', { line: 1, column: 1 });
    if (draft.storage === undefined) throw new HclError('there is no storage block', { line: 1, column: 1 });
    return {
      listeners: listeners.map((one) => withDefault(one, draft.maxRequestMs)),
      storage: draft.storage,
      audit: draft.audit ?? [],
      auditFolders: draft.auditFolders ?? [],
      logLevel: draft.logLevel ?? 'info',
      logFormat: draft.logFormat ?? 'standard',
      metrics: draft.metrics ?? true,
      ...(draft.logFile === undefined ? {} : { logFile: draft.logFile }),
      ...(draft.apiAddress === undefined ? {} : { apiAddress: draft.apiAddress }),
      ...systemTtls(draft),
    };
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new MeshrootError('bad-config', `${file}:${error.line}:${error.column}: ${error.reason}`, {
      hint: 'see docs/vault-server.md for what may stand there',
      cause: error,
    });
  }
}

const withDefault = (listener: ListenerConfig, maxRequestMs: number | undefined): ListenerConfig =>
  maxRequestMs === undefined ? listener : { maxRequestMs, ...listener };

/** @throws HclError when leases would last longer than they may */
function systemTtls({ defaultTtl, maxTtl }: Partial<Draft>): Pick<VaultConfig, 'systemTtls'> {
  if (defaultTtl === undefined && maxTtl === undefined) return {};
  const most = maxTtl ?? systemTtl;
  const wanted = defaultTtl ?? Math.min(systemTtl, most);
  if (wanted > most)
    throw new HclError('default_lease_ttl is longer than max_lease_ttl', { line: 1, column: 1 });
  return { systemTtls: { defaultTtl: wanted, maxTtl: most } };
}

function readEntry(draft: Partial<Draft>, listeners: ListenerConfig[], entry: HclEntry): void {
  if (ignored.includes(entry.key)) return;
  switch (entry.key) {
    case 'listener':
      listeners.push(...labelledBlocks(entry).map(({ label, body }) => readListener(label, body, entry)));
      return;
    case 'storage':
    case 'backend':
      draft.storage = readStorage(entry);
      return;
    case 'audit':
      draft.audit = [...(draft.audit ?? []), ...readAudit(entry)];
      return;
    case 'audit_folders':
      draft.auditFolders = texts(entry);
      return;
    case 'unsafe_allow_api_audit_creation':
      if (switchOf(entry)) draft.auditFolders = ['/'];
      return;
    case 'api_addr':
      draft.apiAddress = textOf(entry);
      return;
    case 'default_lease_ttl':
      draft.defaultTtl = duration(entry) / 1000;
      return;
    case 'max_lease_ttl':
      draft.maxTtl = duration(entry) / 1000;
      return;
    case 'default_max_request_duration':
      draft.maxRequestMs = duration(entry);
      return;
    case 'log_file':
      draft.logFile = textOf(entry);
      return;
    case 'log_level':
      draft.logLevel = oneOf(entry, logLevels);
      return;
    case 'log_format':
      draft.logFormat = oneOf(entry, ['standard', 'json']);
      return;
    case 'telemetry':
      return; // metrics are always on; how long they are kept is up to whoever collects them
    default:
      throw unknownKey(entry, known);
  }
}

function readStorage(entry: HclEntry): VaultConfig['storage'] {
  const [block] = labelledBlocks(entry);
  if (block === undefined)
    throw new HclError('storage must name a kind, for example storage "lmdb" { path = "…" }', entry);
  if (block.label === 'inmem') return { type: 'inmem' };
  if (block.label !== 'lmdb' && block.label !== 'file') {
    throw new HclError(`storage "${block.label}" is not known, only "lmdb", "file" and "inmem" are`, block);
  }
  for (const inner of block.body.entries) if (inner.key !== 'path') throw unknownKey(inner, ['path']);
  const path = block.body.entries.at(-1);
  if (path === undefined) throw new HclError(`storage "${block.label}" has no path`, block);
  return { type: 'lmdb', path: textOf(path) };
}

/** What a device of each type cannot do without. */
const auditNeeds: Readonly<Record<string, string>> = { file: 'file_path', socket: 'address' };

/** `audit "file" "to-file" { description = "…" options { file_path = "…" } }`, as OpenBao declares devices. */
function readAudit(entry: HclEntry): AuditDevice[] {
  const [type = 'file', name] = entry.labels;
  const blocks =
    name === undefined ? labelledBlocks(entry) : [{ label: type, body: entry.value as HclObject }];
  return blocks.map(({ label, body }) => {
    const fields = plainValue(body) as Record<string, unknown>;
    const options = (fields.options ?? fields) as Record<string, unknown>;
    const path = name ?? (text(fields.path) || label);
    const needed = auditNeeds[label];
    if (needed === undefined) {
      throw new HclError(`audit device "${label}" is not known, only "file" and "socket" are`, entry);
    }
    if (text(options[needed]) === '') throw new HclError(`the audit device has no ${needed}`, entry);
    return {
      path: `${path.replace(/\/+$/, '')}/`,
      type: label,
      description: text(fields.description),
      options: Object.fromEntries(Object.entries(options).map(([key, value]) => [key, String(value)])),
    };
  });
}
