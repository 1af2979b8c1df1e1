import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from './config/read-config.ts';
import { type TestAgent, testAgent } from './test-agent.ts';
import { type TestVault, testVault } from './test-vault.ts';

describe('the namespace of the login', () => {
  let vault: TestVault;
  let agent: TestAgent;
  const seen = new Map<string, string | undefined>();
  beforeEach(async () => {
    vault = await testVault();
    agent = await testAgent(() => vault.address);
    const note = (path: string, body: object): void => {
      vault.answers[path] = (_, headers) => {
        seen.set(path, headers['x-vault-namespace'] as string | undefined);
        return { status: 200, body };
      };
    };
    const auth = { client_token: 't', lease_duration: 3600, renewable: true };
    note('auth/k/login', { auth });
    note('auth/token/renew-self', { auth });
    note('sys/internal/ui/mounts/kv/a', { data: { path: 'kv/', options: null } });
    note('kv/a', { data: { x: 'there' } });
    note('sys/wrapping/wrap', { wrap_info: { token: 'w', ttl: 60 } });
    note('auth/token/revoke-self', {});
  });
  afterEach(async () => {
    await agent.remove();
    await vault.close();
  });

  const login = (): string => `auto_auth { revoke_on_shutdown = true
  method "kubernetes" { namespace = "team" mount_path = "auth/k" config = { role = "r", token_path = "${agent.folder}/jwt" } }
  sink "file" { wrap_ttl = "1m" config = { path = "${agent.folder}/token" } } }`;

  test('is that of every other request too: the injector names it nowhere else', async () => {
    void agent.run(
      `${login()}\ntemplate { destination = "${agent.folder}/a" contents = "{{ with secret \\"kv/a\\" }}{{ .Data.x }}{{ end }}" }`,
    );
    await agent.until(
      () => agent.log().includes('rendered "(dynamic)"') && seen.has('auth/token/renew-self'),
    );
    await agent.stop();
    expect(await agent.file('a')).toBe('there');
    expect(Object.fromEntries(seen)).toEqual({
      'auth/k/login': 'team',
      'auth/token/renew-self': 'team',
      'sys/internal/ui/mounts/kv/a': 'team',
      'kv/a': 'team',
      'sys/wrapping/wrap': 'team',
      'auth/token/revoke-self': 'team',
    });
  });

  test('gives way to VAULT_NAMESPACE and to the vault stanza', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ns-'));
    const path = join(folder, 'a.hcl');
    await writeFile(path, login());
    expect((await readConfig([path], { VAULT_NAMESPACE: 'env' })).vault.namespace).toBe('env');
    await writeFile(path, `${login()}\nvault { namespace = "file" }`);
    expect((await readConfig([path], {})).vault.namespace).toBe('file');
    await rm(folder, { recursive: true });
  });
});
