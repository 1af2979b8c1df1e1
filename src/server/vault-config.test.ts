import { describe, expect, test } from 'vitest';
import { parseVaultConfig } from './vault-config.ts';

const good = `
ui = true
disable_mlock = true
api_addr = "http://127.0.0.1:8200"
listener "tcp" {
  address     = "127.0.0.1:0"
  tls_disable = true
}
storage "file" { path = "/var/lib/vault" }
audit "file" "to-file" {
  description = "all calls"
  options { file_path = "/var/log/audit.log" mode = "0640" }
}
`;

describe('parseVaultConfig', () => {
  test('reads what Vault reads; storage "file" is our lmdb', () => {
    expect(parseVaultConfig(good, 'v.hcl')).toEqual({
      listeners: [
        {
          host: '127.0.0.1',
          port: 0,
          openMetrics: false,
          askClientCerts: true,
          openRekey: false,
          openGenerateRoot: false,
        },
      ],
      storage: { type: 'lmdb', path: '/var/lib/vault' },
      audit: [
        {
          path: 'to-file/',
          type: 'file',
          description: 'all calls',
          options: { file_path: '/var/log/audit.log', mode: '0640' },
        },
      ],
      auditFolders: [],
      logLevel: 'info',
      logFormat: 'standard',
      metrics: true,
      apiAddress: 'http://127.0.0.1:8200',
    });
  });

  test('reads JSON too', () => {
    const config = parseVaultConfig(
      '{"listener":{"tcp":{"address":"[::1]:8200","tls_cert_file":"c","tls_key_file":"k"}},"backend":{"inmem":{}}}',
      'v.json',
    );
    expect(config).toMatchObject({
      listeners: [{ host: '::1', port: 8200, tls: { certFile: 'c', keyFile: 'k' } }],
      storage: { type: 'inmem' },
    });
  });

  /** Every stanza that means something: as HCL, as JSON, and what it becomes. */
  const stanzas: readonly (readonly [string, object, object])[] = [
    ['api_addr = "https://a:8200"', { api_addr: 'https://a:8200' }, { apiAddress: 'https://a:8200' }],
    [
      'default_lease_ttl = "1h"',
      { default_lease_ttl: '1h' },
      { systemTtls: { defaultTtl: 3600, maxTtl: 2_764_800 } },
    ],
    ['max_lease_ttl = 7200', { max_lease_ttl: 7200 }, { systemTtls: { defaultTtl: 7200, maxTtl: 7200 } }],
    ['log_file = "/var/log/v.log"', { log_file: '/var/log/v.log' }, { logFile: '/var/log/v.log' }],
    ['log_level = "WARN"', { log_level: 'WARN' }, { logLevel: 'warn' }],
    ['log_format = "json"', { log_format: 'json' }, { logFormat: 'json' }],
    ['audit_folders = ["/a", "/b"]', { audit_folders: ['/a', '/b'] }, { auditFolders: ['/a', '/b'] }],
    [
      'unsafe_allow_api_audit_creation = true',
      { unsafe_allow_api_audit_creation: true },
      { auditFolders: ['/'] },
    ],
    [
      'default_max_request_duration = "30s"',
      { default_max_request_duration: '30s' },
      { listeners: [expect.objectContaining({ maxRequestMs: 30_000 })] },
    ],
    [
      'audit "socket" "s" { options { address = "127.0.0.1:9" } }',
      { audit: { socket: { path: 's', options: { address: '127.0.0.1:9' } } } },
      { audit: [{ path: 's/', type: 'socket', description: '', options: { address: '127.0.0.1:9' } }] },
    ],
    [
      'telemetry { prometheus_retention_time = "1h" }',
      { telemetry: { disable_hostname: true } },
      { metrics: true },
    ],
  ];
  const base = { listener: { tcp: { tls_disable: true } }, storage: { inmem: {} } };
  const plain = 'listener "tcp" { tls_disable = true } storage "inmem" {}';

  test.each(stanzas)('the stanza %s means the same in HCL and in JSON', (hcl, json, expected) => {
    expect(parseVaultConfig(`${plain} ${hcl}`, 'v.hcl')).toMatchObject(expected);
    expect(parseVaultConfig(JSON.stringify({ ...base, ...json }), 'v.json')).toMatchObject(expected);
  });

  test.each([
    ['max_request_size = 100', { max_request_size: 100 }, { maxRequestBytes: 100 }],
    ['max_request_size = -1', { max_request_size: '-1' }, { maxRequestBytes: -1 }],
    ['max_request_duration = "2s"', { max_request_duration: 2 }, { maxRequestMs: 2000 }],
    ['tls_min_version = "tls13"', { tls_min_version: 'tls13' }, { tlsMinVersion: 'TLSv1.3' }],
    ['tls_disable_client_certs = true', { tls_disable_client_certs: '1' }, { askClientCerts: false }],
    [
      'telemetry { unauthenticated_metrics_access = true }',
      { telemetry: { unauthenticated_metrics_access: true } },
      { openMetrics: true },
    ],
    [
      'disable_unauthed_rekey_endpoints = false',
      { disable_unauthed_rekey_endpoints: false },
      { openRekey: true },
    ],
  ])('the listener key %s means the same in HCL and in JSON', (hcl, json, expected) => {
    const text = `listener "tcp" { tls_disable = true ${hcl} } storage "inmem" {}`;
    expect(parseVaultConfig(text, 'v.hcl').listeners).toMatchObject([expected]);
    const object = { ...base, listener: { tcp: { tls_disable: true, ...json } } };
    expect(parseVaultConfig(JSON.stringify(object), 'v.json').listeners).toMatchObject([expected]);
  });

  test.each(['disable_mlock', 'disable_cache', 'disable_clustering', 'raw_storage_endpoint', 'ui'])(
    '%s is known and has no meaning here',
    (key) => {
      expect(parseVaultConfig(`${plain} ${key} = true`, 'v.hcl')).toEqual(parseVaultConfig(plain, 'v.hcl'));
    },
  );

  test.each([
    ['listner "tcp" { }', 'v.hcl:1:1: unknown key "listner", did you mean "listener"?'],
    ['listener "tcp" {\n  adress = "x"\n}', 'v.hcl:2:3: unknown key "adress", did you mean "address"?'],
    [
      'listener "tcp" { }',
      'v.hcl:1:1: tls_cert_file and tls_key_file are missing (or say tls_disable = true)',
    ],
    [
      'listener "tcp" {\n  tls_disable = true\n  address = "x"\n}',
      'v.hcl:3:3: address: "x" is not host:port',
    ],
    ['listener "tcp" {\n  address = "a:70000"\n}', 'v.hcl:2:3: address: "a:70000" is not host:port'],
    ['listener "tcp" {\n  tls_disable = "perhaps"\n}', 'v.hcl:2:3: tls_disable must be true or false'],
    [
      'listener "tcp" {\n  disable_unauthed_rekey_endpoints = "no"\n}',
      'v.hcl:2:3: disable_unauthed_rekey_endpoints must be true or false',
    ],
    [
      'listener "tcp" {\n  telemetry { unauthenticated_metrics_access = 2 }\n}',
      'v.hcl:2:15: unauthenticated_metrics_access must be true or false',
    ],
    ['listener "tcp" {\n  tls_key_file = ""\n}', 'v.hcl:2:3: tls_key_file must be a text'],
    ['storage "lmdb" {\n  path = 7\n}', 'v.hcl:2:3: path must be a text'],
    ['log_file = true', 'v.hcl:1:1: log_file must be a text'],
    [
      'unsafe_allow_api_audit_creation = "on"',
      'v.hcl:1:1: unsafe_allow_api_audit_creation must be true or false',
    ],
    ['storage "raft" { }', 'v.hcl:1:1: storage "raft" is not known, only "lmdb", "file" and "inmem" are'],
    ['storage "lmdb" { }', 'v.hcl:1:1: storage "lmdb" has no path'],
    ['log_level = "loud"', 'v.hcl:1:1: log_level must be one of trace, debug, info, warn, error'],
    ['listener "tcp" { tls_disable = true }', 'v.hcl:1:1: there is no storage block'],
    [
      'default_lease_ttl = "2h" max_lease_ttl = "1h" listener "tcp" { tls_disable = true } storage "inmem" {}',
      'v.hcl:1:1: default_lease_ttl is longer than max_lease_ttl',
    ],
    [
      'listener "tcp" {\n  max_request_size = "much"\n}',
      'v.hcl:2:3: max_request_size must be a number of bytes',
    ],
    [
      'listener "tcp" { tls_min_version = "tls10" }',
      'v.hcl:1:18: tls_min_version must be one of tls12, tls13',
    ],
    ['seal "pkcs11" { }', 'v.hcl:1:1: unknown key "seal"'],
    ['a = = 1', 'v.hcl:1:5: expected a value, found "="'],
  ])('refuses %j with file, line and column', (text, message) => {
    expect(() => parseVaultConfig(text, 'v.hcl')).toThrow(
      expect.objectContaining({ code: 'bad-config', message }),
    );
  });
});
