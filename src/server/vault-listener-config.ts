import { type HclEntry, HclError, type HclObject, plainBlocks, plainValue } from '../lib/hcl/tree.ts';
import { duration, isFalse, isTrue, oneOf, text, unknownKey } from './config-values.ts';

export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly openMetrics: boolean;
  /** Clients may show a certificate (they need not). */
  readonly askClientCerts: boolean;
  readonly openRekey: boolean;
  readonly openGenerateRoot: boolean;
  /** How long a call may wait for others, in milliseconds. */
  readonly maxRequestMs?: number;
  /** Of a body; no limit below 0. */
  readonly maxRequestBytes?: number;
  readonly tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3';
}

const listenerKeys = [
  'address',
  'tls_disable',
  'tls_cert_file',
  'tls_key_file',
  'tls_min_version',
  'tls_disable_client_certs',
  'max_request_duration',
  'max_request_size',
  'disable_unauthed_rekey_endpoints',
  'disable_unauthed_generate_root_endpoints',
  'telemetry',
];
/** Known to Vault, without a meaning here. */
const listenerIgnored = [
  'cluster_address',
  'http_idle_timeout',
  'http_read_header_timeout',
  'http_read_timeout',
  'http_write_timeout',
  'max_request_json_memory',
  'max_request_json_strings',
  'tls_client_ca_file',
];

/** A block `listener "tcp"`. @throws HclError */
export function readListener(kind: string, body: HclObject, at: HclEntry): ListenerConfig {
  if (kind !== 'tcp') throw new HclError(`listener "${kind}" is not known, only "tcp" is`, at);
  const found: Record<string, unknown> = {};
  let openMetrics = false;
  let maxRequestMs = 0;
  let maxRequestBytes = 0;
  let tlsMinVersion: ListenerConfig['tlsMinVersion'];
  for (const entry of body.entries) {
    if (![...listenerKeys, ...listenerIgnored].includes(entry.key)) throw unknownKey(entry, listenerKeys);
    if (entry.key === 'telemetry') openMetrics = plainBlocks(entry).some((block) => opensMetrics(block));
    else if (entry.key === 'max_request_duration') maxRequestMs = duration(entry);
    else if (entry.key === 'max_request_size') maxRequestBytes = wholeNumber(entry);
    else if (entry.key === 'tls_min_version') tlsMinVersion = versions[oneOf(entry, ['tls12', 'tls13'])];
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
    ...(maxRequestMs === 0 ? {} : { maxRequestMs }),
    ...(maxRequestBytes === 0 ? {} : { maxRequestBytes }),
    ...(tlsMinVersion === undefined ? {} : { tlsMinVersion }),
  };
  if (isTrue(found.tls_disable)) return base;
  const [certFile, keyFile] = [text(found.tls_cert_file), text(found.tls_key_file)];
  if (certFile === '' || keyFile === '') {
    throw new HclError('tls_cert_file and tls_key_file are missing (or say tls_disable = true)', at);
  }
  return { ...base, tls: { certFile, keyFile } };
}

const versions = { tls12: 'TLSv1.2', tls13: 'TLSv1.3' } as const;

function wholeNumber(entry: HclEntry): number {
  const value = Number(plainValue(entry.value));
  if (!Number.isSafeInteger(value)) throw new HclError(`${entry.key} must be a number of bytes`, entry);
  return value;
}

function opensMetrics(block: HclObject): boolean {
  return block.entries.some(
    ({ key, value }) => key === 'unauthenticated_metrics_access' && isTrue(plainValue(value)),
  );
}
