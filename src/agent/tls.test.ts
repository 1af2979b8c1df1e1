import { readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestAgent, testAgent } from './test-agent.ts';
import { type TestPki, testPki } from './test-tls.ts';
import { type TestVault, testVault } from './test-vault.ts';

describe('an agent and TLS', () => {
  let vault: TestVault | undefined;
  let agent: TestAgent;
  let pki: TestPki;
  beforeEach(async () => {
    pki = await testPki();
    agent = await testAgent(() => vault?.address ?? '');
  });
  afterEach(async () => {
    await agent.remove();
    await vault?.close();
    vault = undefined;
  });

  /** The serial of the listener's certificate and the status of an answer. */
  async function ask(pair?: {
    cert: string;
    key: string;
  }): Promise<{ serial: string; status: number | undefined }> {
    const port = /listening: address=https:\/\/127\.0\.0\.1:(\d+)/.exec(agent.log())?.[1];
    return new Promise((resolve, reject) => {
      const options = { ca: pki.ca, agent: false, ...pair };
      const request = get(`https://127.0.0.1:${port}/agent/v1/metrics`, options, (response) => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume().on('end', () => resolve({ serial: serialNumber, status: response.statusCode }));
      });
      request.on('error', reject);
    });
  }
  const sameSerial = (a: string, b: string): boolean => BigInt(`0x${a}`) === BigInt(`0x${b}`);

  test('a listener serves TLS, wants a client certificate when told to, and takes a new one over on SIGHUP', async () => {
    vault = await testVault();
    const first = await pki.server();
    const { cert, key } = await pki.save(agent.folder, 'listener', first);
    const ca = join(agent.folder, 'ca.crt');
    await writeFile(ca, pki.ca);
    void agent.run(`listener "tcp" { address = "127.0.0.1:0" tls_cert_file = "${cert}" tls_key_file = "${key}"
      tls_client_ca_file = "${ca}" tls_require_and_verify_client_cert = true tls_min_version = "tls13" }`);
    await agent.until(() => agent.log().includes('listening'));
    const client = await pki.client('reader');
    await expect(ask()).rejects.toThrow(/certificate required|handshake failure|ECONNRESET|socket hang up/i);
    const answered = await ask(client);
    expect([answered.status, sameSerial(answered.serial, first.serial)]).toEqual([200, true]);

    const second = await pki.server();
    await writeFile(cert, second.cert);
    await expect(agent.reload()).rejects.toThrow(/key values mismatch/);
    expect(sameSerial((await ask(client)).serial, first.serial)).toBe(true); // half a pair changes nothing
    await writeFile(key, second.key);
    await agent.reload();
    expect(sameSerial((await ask(client)).serial, second.serial)).toBe(true);
  });

  test('a listener without its certificate says so', async () => {
    vault = await testVault();
    await expect(
      agent.run(
        'listener "tcp" { address = "127.0.0.1:0" tls_cert_file = "/no.crt" tls_key_file = "/no.key" }',
      ),
    ).rejects.toMatchObject({ code: 'listener', message: expect.stringContaining('/no.crt') });
  });

  test('cert logs in with a certificate of its own, which the store sees, and reads with another connection', async () => {
    const server = await pki.server();
    vault = await testVault(3600, { ...server, ca: pki.ca, requestCert: true, rejectUnauthorized: false });
    const { cert, key } = await pki.save(agent.folder, 'client', await pki.client('web'));
    const ca = join(agent.folder, 'ca.crt');
    await writeFile(ca, pki.ca);
    let seen: { readonly headers: IncomingHttpHeaders; readonly subject: string | undefined } | undefined;
    vault.answers['auth/cert/login'] = (body, headers, socket) => {
      expect(body).toEqual({ name: 'web' });
      seen = { headers, subject: (socket as TLSSocket).getPeerCertificate().subject?.CN?.toString() };
      return { status: 200, body: { auth: { client_token: 't', lease_duration: 60, renewable: false } } };
    };
    const sink = join(agent.folder, 'token');
    await agent.run(`exit_after_auth = true
vault { address = "${vault.address}" ca_cert = "${ca}" tls_server_name = "localhost" }
auto_auth { method "cert" { config = { name = "web" client_cert = "${cert}" client_key = "${key}" reload = true } }
  sink "file" { config = { path = "${sink}" } } }`);
    expect(seen?.subject).toBe('web');
    expect(await readFile(sink, 'utf8')).toBe('t');
  });

  test('a store whose certificate is of another root, or for another name, is not talked to', async () => {
    const { cert, key } = await (await testPki()).server();
    vault = await testVault(3600, { cert, key });
    const ca = join(agent.folder, 'ca.crt');
    await writeFile(ca, pki.ca);
    const login = (more: string): string => `vault { address = "${vault?.address}" ca_cert = "${ca}" ${more} }
auto_auth { method "kubernetes" { exit_on_err = true mount_path = "auth/kubernetes-c1"
  config = { role = "r", token_path = "${agent.folder}/jwt" } } sink "file" { config = { path = "${agent.folder}/t" } } }`;
    await expect(agent.run(login(''))).rejects.toThrow('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await expect(agent.run(login('tls_server_name = "elsewhere"'))).rejects.toThrow(
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE|ALTNAME/,
    );
    await agent.run(`exit_after_auth = true\n${login('tls_skip_verify = true')}`);
    expect(await agent.file('t')).toBe('token-1');
  });

  test('after SIGHUP the store is asked with the new roots', async () => {
    const other = await testPki();
    const { cert, key } = await pki.server();
    vault = await testVault(3600, { cert, key });
    const ca = join(agent.folder, 'ca.crt');
    await writeFile(ca, other.ca);
    void agent.run(`vault { address = "${vault.address}" ca_cert = "${ca}" }
auto_auth { method "kubernetes" { min_backoff = "10ms" max_backoff = "20ms" mount_path = "auth/kubernetes-c1"
  config = { role = "r", token_path = "${agent.folder}/jwt" } } sink "file" { config = { path = "${agent.folder}/t" } } }`);
    await agent.until(() => agent.log().includes('error authenticating'));
    await rm(ca);
    await expect(agent.reload()).rejects.toMatchObject({ code: 'bad-agent-config' });
    await writeFile(ca, pki.ca);
    await agent.reload();
    await agent.until(() => agent.log().includes('token written'));
  });
});
