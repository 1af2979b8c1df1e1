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

  test.each([
    ['listner "tcp" { }', 'v.hcl:1:1: unknown key "listner", did you mean "listener"?'],
    ['listener "tcp" {\n  adress = "x"\n}', 'v.hcl:2:3: unknown key "adress", did you mean "address"?'],
    [
      'listener "tcp" { }',
      'v.hcl:1:1: tls_cert_file and tls_key_file are missing (or say tls_disable = true)',
    ],
    ['listener "tcp" { tls_disable = true address = "x" }', 'v.hcl:1:1: the address "x" is not host:port'],
    ['storage "raft" { }', 'v.hcl:1:1: storage "raft" is not known, only "lmdb", "file" and "inmem" are'],
    ['storage "lmdb" { }', 'v.hcl:1:1: storage "lmdb" has no path'],
    ['log_level = "loud"', 'v.hcl:1:1: log_level must be one of trace, debug, info, warn, error'],
    ['listener "tcp" { tls_disable = true }', 'v.hcl:1:1: there is no storage block'],
    ['a = = 1', 'v.hcl:1:5: expected a value, found "="'],
  ])('refuses %j with file, line and column', (text, message) => {
    expect(() => parseVaultConfig(text, 'v.hcl')).toThrow(
      expect.objectContaining({ code: 'bad-config', message }),
    );
  });
});
