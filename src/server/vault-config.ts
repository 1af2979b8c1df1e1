import { MeshrootError } from '../lib/errors.ts';
import { parseHcl } from '../lib/hcl/parse.ts';
import {
  type HclEntry,
  HclError,
  type HclObject,
  labelledBlocks,
  plainBlocks,
  plainValue,
} from '../lib/hcl/tree.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import type { AuditDevice } from '../vault/core/audit-broker.ts';
import { type LogLevel, logLevels } from './text-log.ts';

export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly openMetrics: boolean;
  /** Clients may show a certificate (they need not). */
  readonly askClientCerts: boolean;
  readonly openRekey: boolean;
  readonly openGenerateRoot: boolean;
}

export interface VaultConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly storage: { readonly type: 'lmdb'; readonly path: string } | { readonly type: 'inmem' };
  readonly audit: readonly AuditDevice[];
  readonly auditFolders: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: 'standard' | 'json';
  readonly metrics: boolean;
}

/** Known to Vault, without a meaning here. */
const ignored = [
  'api_addr',
  'cluster_addr',
  'cluster_name',
  'default_lease_ttl',
  'max_lease_ttl',
  'disable_cache',
  'disable_clustering',
  'disable_mlock',
  'pid_file',
  'plugin_directory',
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
  'log_level',
  'log_format',
  'telemetry',
];

type Draft = { -readonly [K in keyof VaultConfig]: VaultConfig[K] };

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
      listeners,
      storage: draft.storage,
      audit: draft.audit ?? [],
      auditFolders: draft.auditFolders ?? [],
      logLevel: draft.logLevel ?? 'info',
      logFormat: draft.logFormat ?? 'standard',
      metrics: draft.metrics ?? true,
    };
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new MeshrootError('bad-config', `${file}:${error.line}:${error.column}: ${error.reason}`, {
      hint: 'see docs/vault-server.md for what may stand there',
      cause: error,
    });
  }
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
      if (isTrue(plainValue(entry.value))) draft.auditFolders = ['/'];
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

const listenerKeys = [
  'address',
  'tls_disable',
  'tls_cert_file',
  'tls_key_file',
  'tls_min_version',
  'tls_disable_client_certs',
  'disable_unauthed_rekey_endpoints',
  'disable_unauthed_generate_root_endpoints',
  'telemetry',
];
const listenerIgnored = ['cluster_address', 'tls_client_ca_file', 'max_request_size'];

function readListener(kind: string, body: HclObject, at: HclEntry): ListenerConfig {
  if (kind !== 'tcp') throw new HclError(`listener "${kind}" is not known, only "tcp" is`, at);
  const found: Record<string, unknown> = {};
  let openMetrics = false;
  for (const entry of body.entries) {
    if (![...listenerKeys, ...listenerIgnored].includes(entry.key)) throw unknownKey(entry, listenerKeys);
    if (entry.key === 'telemetry') openMetrics = plainBlocks(entry).some((block) => opensMetrics(block));
    else found[entry.key] = plainValue(entry.value);
  }
  const address = text(found.address) || '127.0.0.1:8200';
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(address);
  if (match === null) throw new HclError(`the address "${address}" is not host:port`, at);
  const base = {
    host: match[1] === '' ? '0.0.0.0' : String(match[1]),
    port: Number(match[2]),
    openMetrics,
    askClientCerts: !isTrue(found.tls_disable_client_certs),
    openRekey: isFalse(found.disable_unauthed_rekey_endpoints),
    openGenerateRoot: isFalse(found.disable_unauthed_generate_root_endpoints),
  };
  if (isTrue(found.tls_disable)) return base;
  const [certFile, keyFile] = [text(found.tls_cert_file), text(found.tls_key_file)];
  if (certFile === '' || keyFile === '') {
    throw new HclError('tls_cert_file and tls_key_file are missing (or say tls_disable = true)', at);
  }
  return { ...base, tls: { certFile, keyFile } };
}

function opensMetrics(block: HclObject): boolean {
  return block.entries.some(
    ({ key, value }) => key === 'unauthenticated_metrics_access' && isTrue(plainValue(value)),
  );
}

function readStorage(entry: HclEntry): VaultConfig['storage'] {
  const [block] = labelledBlocks(entry);
  if (block === undefined)
    throw new HclError('storage must name a kind, for example storage "lmdb" { path = "…" }', entry);
  if (block.label === 'inmem') return { type: 'inmem' };
  if (block.label !== 'lmdb' && block.label !== 'file') {
    throw new HclError(`storage "${block.label}" is not known, only "lmdb", "file" and "inmem" are`, block);
  }
  const fields = plainValue(block.body) as Record<string, unknown>;
  for (const inner of block.body.entries) if (inner.key !== 'path') throw unknownKey(inner, ['path']);
  if (text(fields.path) === '') throw new HclError(`storage "${block.label}" has no path`, block);
  return { type: 'lmdb', path: text(fields.path) };
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

function unknownKey(entry: HclEntry, words: readonly string[]): HclError {
  const near = nearestWord(entry.key, words);
  return new HclError(
    `unknown key "${entry.key}"${near === undefined ? '' : `, did you mean "${near}"?`}`,
    entry,
  );
}

function oneOf<T extends string>(entry: HclEntry, words: readonly T[]): T {
  const found = words.find((word) => word === String(plainValue(entry.value)).toLowerCase());
  if (found === undefined) throw new HclError(`${entry.key} must be one of ${words.join(', ')}`, entry);
  return found;
}

function texts(entry: HclEntry): string[] {
  const value = plainValue(entry.value);
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || value === '1' || value === 'true';
const isFalse = (value: unknown): boolean =>
  value === false || value === 0 || value === '0' || value === 'false';
