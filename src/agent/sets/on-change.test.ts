import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestAgent, testAgent } from '../test-agent.ts';
import { type TestPair, type TestPki, testPki } from '../test-tls.ts';
import { type TestVault, testVault } from '../test-vault.ts';

const path = 'kv/gateway';
const parts = { 'tls.crt': 'cert', 'tls.key': 'key', 'ca.crt': 'ca' };

describe('a changed set', () => {
  let vault: TestVault;
  let agent: TestAgent;
  let pki: TestPki;
  let server: Server;
  const told: (string | undefined)[] = [];
  /** What the server does when it is told. */
  let reloads = true;
  const hook = createHttpServer((request, response) => {
    told.push(request.method);
    if (reloads) server.setSecureContext(files());
    response.end();
  });

  beforeEach(async () => {
    vault = await testVault();
    agent = await testAgent(() => vault.address);
    pki = await testPki();
    told.length = 0;
    reloads = true;
    await once(hook.listen(0, '127.0.0.1'), 'listening');
    server = createServer(await pki.server()).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    await agent.remove();
    server.close();
    hook.close();
    await vault.close();
  });

  const files = (): { cert: Buffer; key: Buffer } => {
    const set = realpathSync(join(agent.folder, 'set', '..data'));
    return { cert: readFileSync(join(set, 'tls.crt')), key: readFileSync(join(set, 'tls.key')) };
  };
  async function rotate(): Promise<TestPair> {
    const pair = await pki.server();
    vault.data[path] = { cert: pair.cert, key: pair.key, ca: pki.ca };
    return pair;
  }
  const port = (of: { address(): unknown }): number => (of.address() as AddressInfo).port;
  function stanzas(more: string): string {
    const templates = Object.entries(parts).map(
      ([file, key]) => `template { destination = "${agent.folder}/set/${file}"
        contents = "{{ with secret \\"${path}\\" }}{{ .Data.${key} }}{{ end }}" }`,
    );
    return `template_config { static_secret_render_interval = "50ms" }
on_change { folder = "${agent.folder}/set" probe = "127.0.0.1:${port(server)}" interval = "10ms" ${more} }
${templates.join('\n')}`;
  }
  const status = async (): Promise<Record<string, string>> =>
    JSON.parse(await agent.file('set/.meshroot-set.json').catch(() => '{}'));

  test('is confirmed when the server that was told shows its serial', async () => {
    const first = await rotate();
    void agent.run(stanzas(`http = "http://127.0.0.1:${port(hook)}/reload"`));
    await agent.until(async () => (await status()).confirmed === `127.0.0.1:${port(server)}`);
    expect(BigInt(`0x${(await status()).serial}`)).toBe(BigInt(`0x${first.serial}`));
    const second = await rotate();
    await agent.until(
      async () => (await status()).serial === second.serial && 'confirmed' in (await status()),
    );
    expect(told).toEqual(['POST', 'POST']);
  });

  test('is not confirmed by a server that does not reload: status and log say so, and it is told again', async () => {
    reloads = false;
    await rotate();
    void agent.run(stanzas(`http = "http://127.0.0.1:${port(hook)}/reload" timeout = "50ms"`));
    const wrongSerial = /does not show serial [0-9a-f]+ after 0.05s, but [0-9a-f]+$/;
    await agent.until(async () => wrongSerial.test((await status()).unconfirmed ?? ''));
    expect((await status()).state).toBe('delivered');
    expect(agent.log()).toContain('hint="does the server read its files again');
    reloads = true;
    await agent.until(async () => 'confirmed' in (await status()));
    expect(told.length).toBeGreaterThan(1);
    expect(await status()).not.toHaveProperty('unconfirmed');
  });

  test('is told by a command too, whose failure is a reason', async () => {
    await rotate();
    void agent.run(stanzas('command = ["sh", "-c", "exit 7"] timeout = "50ms"'));
    await agent.until(async () => 'unconfirmed' in (await status()));
    expect((await status()).unconfirmed).toContain('exit status 7');
  });

  test('is told by a signal to the process in the pid file', async () => {
    reloads = true;
    const pidFile = join(agent.folder, 'pid');
    await writeFile(pidFile, String(process.pid));
    process.once('SIGUSR2', () => server.setSecureContext(files()));
    await rotate();
    void agent.run(stanzas(`signal = "SIGUSR2" pid_file = "${pidFile}"`));
    await agent.until(async () => 'confirmed' in (await status()));
  });

  test('for a folder that is no set is refused', async () => {
    await expect(agent.run(stanzas('').replace('/set" probe', '/elsewhere" probe'))).rejects.toMatchObject({
      code: 'bad-agent-config',
      message: expect.stringContaining('no set is written to'),
      hint: expect.stringContaining('meshroot agent explain'),
    });
  });
});
