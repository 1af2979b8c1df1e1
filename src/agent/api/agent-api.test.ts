import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { agentLog } from '../agent-log.ts';
import { readConfig } from '../config/read-config.ts';
import { runAgent } from '../run-agent.ts';
import { type TestVault, testVault } from '../test-vault.ts';

describe('an agent that listens', () => {
  let vault: TestVault;
  let folder = '';
  let log = '';
  const stop = { controller: new AbortController() };
  let running: Promise<number>;

  beforeEach(async () => {
    vault = await testVault();
    vault.answers['kv/seen?version=2'] = (body, headers) => ({
      status: 203,
      body: { token: headers['x-vault-token'], body },
    });
    folder = await mkdtemp(join(tmpdir(), 'api-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
    stop.controller = new AbortController();
    log = '';
  });
  afterEach(async () => {
    stop.controller.abort();
    await running;
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(stanzas: string): Promise<string> {
    const path = join(folder, 'agent.hcl');
    await writeFile(
      path,
      `vault { address = "${vault.address}" }
auto_auth { method "kubernetes" { mount_path = "auth/kubernetes-c1"
  config = { role = "r", token_path = "${folder}/jwt" } }
  sink "file" { config = { path = "${folder}/token" } } }
${stanzas}`,
    );
    const out = new Writable({
      write(chunk, _, done) {
        log += String(chunk);
        done();
      },
    });
    running = runAgent({
      config: await readConfig([path], {}),
      env: {},
      clock: systemClock,
      random: () => 0.5,
      log: agentLog({ out, clock: systemClock, format: 'standard', level: () => 'info' }),
      verifiers: [],
      signal: stop.controller.signal,
    });
    for (let i = 0; i < 300 && !log.includes('token written'); i++) await systemClock.sleep(10);
    return /listening: address=(\S+)/.exec(log)?.[1] ?? '';
  }
  const tcp = (more = ''): string => `listener "tcp" { address = "127.0.0.1:0" tls_disable = true ${more} }`;

  test('passes requests on with its token, or with that of the caller', async () => {
    const url = await start(`api_proxy { use_auto_auth_token = true }\n${tcp()}`);
    const plain = await fetch(`${url}/v1/kv/seen?version=2`, { method: 'PUT', body: '{"a":1}' });
    expect([plain.status, await plain.json()]).toEqual([203, { token: 'token-1', body: { a: 1 } }]);
    const own = await fetch(`${url}/v1/kv/seen?version=2`, { headers: { 'X-Vault-Token': 'mine' } });
    expect(await own.json()).toEqual({ token: 'mine' });
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });

  test('puts its token in place of any other when forced, and none when not told to', async () => {
    const url = await start(`cache { use_auto_auth_token = "force" }\n${tcp()}`);
    const forced = await fetch(`${url}/v1/kv/seen?version=2`, { headers: { 'X-Vault-Token': 'mine' } });
    expect(await forced.json()).toEqual({ token: 'token-1' });
  });

  test('wants the header that a browser cannot be made to send, when told to', async () => {
    const url = await start(`api_proxy { }\n${tcp('require_request_header = true')}`);
    const without = await fetch(`${url}/v1/kv/seen?version=2`);
    expect([without.status, await without.json()]).toEqual([
      412,
      { errors: ["missing 'X-Vault-Request' header"] },
    ]);
    const headers = { 'X-Vault-Request': 'true' };
    expect(await (await fetch(`${url}/v1/kv/seen?version=2`, { headers })).json()).toEqual({});
  });

  test('quits when asked by POST and allowed to', async () => {
    const url = await start(tcp('agent_api { enable_quit = true }'));
    expect((await fetch(`${url}/agent/v1/quit`)).status).toBe(405);
    expect((await fetch(`${url}/agent/v1/quit`, { method: 'POST' })).status).toBe(200);
    expect(await running).toBe(0);
  });

  test('does not know quit when it is not enabled, and on a metrics listener nothing but metrics', async () => {
    const url = await start(`${tcp('role = "metrics_only" agent_api { enable_quit = true }')}`);
    expect((await fetch(`${url}/agent/v1/quit`, { method: 'POST' })).status).toBe(404);
    expect(await (await fetch(`${url}/agent/v1/metrics`)).text()).toContain(
      '# TYPE vault_agent_auth_success counter\nvault_agent_auth_success 1\n',
    );
  });

  test('passes on what its caller may do by itself, without any api_proxy', async () => {
    const url = await start(tcp());
    const own = await fetch(`${url}/v1/kv/seen?version=2`, { headers: { 'X-Vault-Token': 'mine' } });
    expect(await own.json()).toEqual({ token: 'mine' });
    expect(await (await fetch(`${url}/v1/kv/seen?version=2`)).json()).toEqual({}); // not the agent's
  });

  test('answers cache-clear as one whose cache is empty', async () => {
    const url = await start(tcp());
    const clear = (body: string): Promise<number> =>
      fetch(`${url}/agent/v1/cache-clear`, { method: 'POST', body }).then((r) => r.status);
    expect(await Promise.all([clear('{"type":"all"}'), clear('{"type":"x"}'), clear('no')])).toEqual([
      200, 400, 400,
    ]);
    expect((await fetch(`${url}/agent/v1/quit`, { method: 'POST' })).status).toBe(404);
  });

  test('listens on a socket too', async () => {
    const socketPath = join(folder, 'agent.sock');
    await start(`api_proxy { use_auto_auth_token = true }\nlistener "unix" { address = "${socketPath}" }`);
    const status = await new Promise((resolve) => {
      httpRequest({ socketPath, path: '/v1/kv/seen?version=2' }, (r) => resolve(r.statusCode)).end();
    });
    expect(status).toBe(203);
    expect(await readFile(join(folder, 'token'), 'utf8')).toBe('token-1');
  });

  test('says so when the store does not answer', async () => {
    const url = await start(`api_proxy { }\n${tcp()}`);
    await vault.close();
    const answer = await fetch(`${url}/v1/x`);
    expect([answer.status, await answer.text()]).toEqual([
      502,
      expect.stringContaining('no answer from the store'),
    ]);
  });
});
