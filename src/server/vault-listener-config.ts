import { type HclEntry, HclError, type HclObject, plainBlocks, plainValue } from '../lib/hcl/tree.ts';
import { duration, oneOf, switchOf, textOf, unknownKey } from './config-values.ts';

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

type Draft = { -readonly [K in keyof ListenerConfig]: ListenerConfig[K] } & {
  tlsDisabled?: boolean;
  certFile?: string;
  keyFile?: string;
};

/** By key: what it changes. @throws HclError */
const readers: Readonly<Record<string, (draft: Draft, entry: HclEntry) => void>> = {
  address: (draft, entry) => Object.assign(draft, addressOf(entry)),
  tls_disable: (draft, entry) => {
    draft.tlsDisabled = switchOf(entry);
  },
  tls_cert_file: (draft, entry) => {
    draft.certFile = textOf(entry);
  },
  tls_key_file: (draft, entry) => {
    draft.keyFile = textOf(entry);
  },
  tls_min_version: (draft, entry) => {
    draft.tlsMinVersion = versions[oneOf(entry, ['tls12', 'tls13'])];
  },
  tls_disable_client_certs: (draft, entry) => {
    draft.askClientCerts = !switchOf(entry);
  },
  max_request_duration: (draft, entry) => {
    const ms = duration(entry);
    if (ms > 0) draft.maxRequestMs = ms;
  },
  max_request_size: (draft, entry) => {
    const bytes = wholeNumber(entry);
    if (bytes !== 0) draft.maxRequestBytes = bytes;
  },
  disable_unauthed_rekey_endpoints: (draft, entry) => {
    draft.openRekey = !switchOf(entry);
  },
  disable_unauthed_generate_root_endpoints: (draft, entry) => {
    draft.openGenerateRoot = !switchOf(entry);
  },
  telemetry: (draft, entry) => {
    draft.openMetrics = plainBlocks(entry).some((block) => opensMetrics(block));
  },
};

/** A block `listener "tcp"`. @throws HclError */
export function readListener(kind: string, body: HclObject, at: HclEntry): ListenerConfig {
  if (kind !== 'tcp') throw new HclError(`listener "${kind}" is not known, only "tcp" is`, at);
  const draft: Draft = {
    host: '127.0.0.1',
    port: 8200,
    openMetrics: false,
    askClientCerts: true,
    openRekey: false,
    openGenerateRoot: false,
  };
  for (const entry of body.entries) {
    if (listenerIgnored.includes(entry.key)) continue;
    const read = Object.hasOwn(readers, entry.key) ? readers[entry.key] : undefined;
    if (read === undefined) throw unknownKey(entry, Object.keys(readers));
    read(draft, entry);
  }
  const { tlsDisabled, certFile, keyFile, ...base } = draft;
  if (tlsDisabled === true) return base;
  if (certFile === undefined || keyFile === undefined) {
    throw new HclError('tls_cert_file and tls_key_file are missing (or say tls_disable = true)', at);
  }
  return { ...base, tls: { certFile, keyFile } };
}

function addressOf(entry: HclEntry): Pick<ListenerConfig, 'host' | 'port'> {
  const address = textOf(entry);
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new HclError(`address: "${address}" is not host:port`, entry);
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

const versions = { tls12: 'TLSv1.2', tls13: 'TLSv1.3' } as const;

function wholeNumber(entry: HclEntry): number {
  const value = Number(plainValue(entry.value));
  if (!Number.isSafeInteger(value)) throw new HclError(`${entry.key} must be a number of bytes`, entry);
  return value;
}

function opensMetrics(block: HclObject): boolean {
  const entry = block.entries.find(({ key }) => key === 'unauthenticated_metrics_access');
  return entry !== undefined && switchOf(entry);
}
