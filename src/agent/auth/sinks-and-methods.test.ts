import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { readConfig } from '../config/read-config.ts';
import { runAgent } from '../run-agent.ts';
import { testAgent } from '../test-agent.ts';
import { type TestVault, testVault } from '../test-vault.ts';

describe('logins and sinks', () => {
  let vault: TestVault;
  let folder = '';
  beforeEach(async () => {
    vault = await testVault();
    folder = await mkdtemp(join(tmpdir(), 'sinks-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
  });
  afterEach(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  const kubernetes = (): object => ({
    type: 'kubernetes',
    mount_path: 'auth/kubernetes-c1',
    config: { role: 'istiod', token_path: join(folder, 'jwt') },
  });
  async function run(method: object, sink: object): Promise<string> {
    const path = join(folder, 'token');
    const config = {
      vault: { address: vault.address },
      exit_after_auth: true,
      auto_auth: { method, sink: [{ type: 'file', config: { path }, ...sink }] },
    };
    await writeFile(join(folder, 'a.json'), JSON.stringify(config));
    await runAgent({
      config: await readConfig([join(folder, 'a.json')], {}),
      env: {},
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
      verifiers: [],
      signal: AbortSignal.timeout(10_000),
    });
    return readFile(path, 'utf8');
  }
  const info = { token: 'wrapping', accessor: 'x', ttl: 300, creation_time: 'now', creation_path: 'p' };

  test('a sink with wrap_ttl holds a wrapping token around the token', async () => {
    vault.answers['sys/wrapping/wrap'] = (body, headers) => {
      expect(body).toEqual({ token: 'token-1' });
      expect(headers['x-vault-wrap-ttl']).toBe('300s');
      expect(headers['x-vault-token']).toBe('token-1');
      return { status: 200, body: { wrap_info: info } };
    };
    expect(JSON.parse(await run(kubernetes(), { wrap_ttl: '5m' }))).toEqual(info);
  });

  test('a method with wrap_ttl never sees the token: the sink gets what the login answered', async () => {
    vault.answers['auth/kubernetes-c1/login'] = (_, headers) => {
      expect(headers['x-vault-wrap-ttl']).toBe('60s');
      return { status: 200, body: { wrap_info: info } };
    };
    expect(JSON.parse(await run({ ...kubernetes(), wrap_ttl: 60 }, {}))).toEqual(info);
    expect(vault.requests).toEqual(['PUT auth/kubernetes-c1/login']);
  });

  test('wrap_ttl on both sides, or on the method with two sinks, is refused', async () => {
    await expect(run({ ...kubernetes(), wrap_ttl: 60 }, { wrap_ttl: 60 })).rejects.toMatchObject({
      code: 'bad-agent-config',
      message: expect.stringContaining('wrap_ttl on both'),
    });
  });

  test.each([true, false])(
    'a sink encrypted for a reader can be opened by it alone (derive_key %s)',
    async (derive) => {
      const reader = generateKeyPairSync('x25519');
      const readerPublic = Buffer.from(reader.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
      const dh = join(folder, 'dh.json');
      await writeFile(dh, JSON.stringify({ curve25519_public_key: readerPublic.toString('base64') }));
      const sink = { dh_type: 'curve25519', dh_path: dh, aad: 'me', derive_key: derive };
      const envelope = JSON.parse(await run(kubernetes(), sink)) as Record<string, string>;
      const bytes = (key: string): Buffer => Buffer.from(envelope[key] ?? '', 'base64');
      const agentPublic = bytes('curve25519_public_key');
      const publicKey = createPublicKey({
        key: { kty: 'OKP', crv: 'X25519', x: agentPublic.toString('base64url') },
        format: 'jwk',
      });
      const secret = diffieHellman({ privateKey: reader.privateKey, publicKey });
      const [low, high] = [agentPublic, readerPublic].sort(Buffer.compare) as [Buffer, Buffer];
      const key = derive ? Buffer.from(hkdfSync('sha256', secret, low, high, 32)) : secret;
      const payload = bytes('encrypted_payload');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes('nonce'));
      decipher.setAAD(Buffer.from('me'));
      decipher.setAuthTag(payload.subarray(-16));
      expect(decipher.update(payload.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8')).toBe(
        'token-1',
      );
    },
  );

  const approle = (): object => ({
    type: 'approle',
    min_backoff: '1ms',
    exit_on_err: true,
    config: {
      role_id_file_path: join(folder, 'role'),
      secret_id_file_path: join(folder, 'secret'),
      secret_id_response_wrapping_path: 'auth/approle/role/r/secret-id',
    },
  });
  const login = { auth: { client_token: 'approle-token', lease_duration: 60, renewable: false } };

  test('a wrapped secret id is opened once it is known to come from the role, then its file is removed', async () => {
    await writeFile(join(folder, 'role'), 'role-1\n');
    await writeFile(join(folder, 'secret'), 'wrapping-1\n');
    vault.answers['sys/wrapping/lookup'] = () => ({
      status: 200,
      body: { data: { creation_path: 'auth/approle/role/r/secret-id' } },
    });
    vault.answers['sys/wrapping/unwrap'] = (_, headers) => {
      expect(headers['x-vault-token']).toBe('wrapping-1');
      return { status: 200, body: { request_id: 'r', data: { secret_id: 's-1' } } };
    };
    vault.answers['auth/approle/login'] = (body) => {
      expect(body).toEqual({ role_id: 'role-1', secret_id: 's-1' });
      return { status: 200, body: login };
    };
    expect(await run(approle(), {})).toBe('approle-token');
    await expect(readFile(join(folder, 'secret'))).rejects.toThrow('ENOENT');
  });

  test('a wrapping token that was made elsewhere is refused before it is opened', async () => {
    await writeFile(join(folder, 'role'), 'role-1');
    await writeFile(join(folder, 'secret'), 'wrapping-1');
    vault.answers['sys/wrapping/lookup'] = () => ({
      status: 200,
      body: { data: { creation_path: 'sys/wrapping/wrap' } },
    });
    await expect(run(approle(), {})).rejects.toMatchObject({
      code: 'secret-id-stolen',
      message: 'unexpected wrapping path "sys/wrapping/wrap", expected "auth/approle/role/r/secret-id"',
      hint: expect.stringContaining('revoke'),
    });
    expect(vault.requests).not.toContain('PUT sys/wrapping/unwrap');
  });

  test('jwt follows a token that is put there later, and its file is removed after reading', async () => {
    const agent = await testAgent(() => vault.address);
    const path = join(folder, 'fresh');
    await writeFile(path, 'first');
    const seen: unknown[] = [];
    vault.answers['auth/jwt/login'] = (body) => {
      seen.push((body as { jwt?: string }).jwt);
      return { status: 200, body: { auth: { client_token: `t-${seen.length}`, lease_duration: 3600 } } };
    };
    void agent.run(`auto_auth { method "jwt" { config = { path = "${path}" role = "r" jwt_read_period = "10ms" } }
      sink "file" { config = { path = "${folder}/sink" } } }`);
    const sink = (): Promise<string> => readFile(join(folder, 'sink'), 'utf8').catch(() => '');
    await agent.until(async () => (await sink()) === 't-1');
    await expect(readFile(path)).rejects.toThrow('ENOENT');
    await writeFile(path, 'second');
    await agent.until(async () => (await sink()) === 't-2');
    expect(seen).toEqual(['first', 'second']);
    expect(agent.log()).toContain('new credentials, re-authenticating');
    await agent.remove();
  });

  test('revoke_on_shutdown takes the token back, and one that cannot be taken back ends by itself', async () => {
    const agent = await testAgent(() => vault.address);
    const stanzas = `auto_auth { revoke_on_shutdown = true method "kubernetes" { mount_path = "auth/kubernetes-c1"
      config = { role = "r", token_path = "${folder}/jwt" } } sink "file" { config = { path = "${folder}/sink" } } }`;
    vault.answers['auth/token/revoke-self'] = (_, headers) => {
      expect(headers['x-vault-token']).toBe('token-1');
      return { status: 204 };
    };
    const running = agent.run(stanzas);
    await agent.until(() => agent.log().includes('token written'));
    await agent.stop();
    expect(await running).toBe(0);
    expect(vault.requests.filter((r) => r.endsWith('revoke-self'))).toHaveLength(1);
    vault.answers['auth/token/revoke-self'] = () => ({ status: 500 });
    const again = agent.run(stanzas);
    await agent.until(() => agent.log().split('token written').length > 2);
    await agent.remove();
    expect(await again).toBe(0);
    expect(agent.log()).toContain('could not be revoked, it ends by itself');
  });

  test('cert logs in with the name of its role', async () => {
    vault.answers['auth/cert/login'] = (body) => {
      expect(body).toEqual({ name: 'web' });
      return { status: 200, body: login };
    };
    expect(await run({ type: 'cert', config: { name: 'web' } }, {})).toBe('approle-token');
  });
});
