import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { call, openTestCore } from '../vault/test-core.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';

let core: VaultCore;
let listener: VaultListener;
let ca = '';

beforeAll(async () => {
  const [rootKey, key] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const now = Date.now();
  const root = await createRoot({ key: rootKey, ttl: 3_600_000, now });
  const issuer = { certificate: root, privateKey: rootKey.privateKey };
  const cert = await issueServing({
    issuer,
    publicKey: key.publicKey,
    dns: ['localhost'],
    ttl: 600_000,
    now,
  });
  ca = root.pem;
  core = await openTestCore();
  await call(core, 'update', 'cubbyhole/a', { k: 'v' });
  listener = await listenVault({
    core,
    clock: systemClock,
    log: silentLogger,
    host: '127.0.0.1',
    port: 0,
    tls: { cert: cert.pem, key: privateKeyPem(key.privateKey).reveal() },
  });
});
afterAll(async () => {
  await listener.close();
  await core.close();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function overH2(
  requests: readonly { method: string; path: string; body?: string }[],
): Promise<Answer[]> {
  const session = http2.connect(listener.address, { ca, servername: 'localhost' });
  const answers = requests.map(async ({ method, path, body }): Promise<Answer> => {
    const stream = session.request({ ':method': method, ':path': `/v1/${path}`, 'x-vault-token': 'root' });
    stream.setEncoding('utf8').end(body);
    const [headers] = await once(stream, 'response');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return { status: Number(headers[':status']), body: text === '' ? undefined : JSON.parse(text) };
  });
  const found = await Promise.all(answers);
  session.close();
  return found;
}

describe('the TLS listener', () => {
  test('speaks HTTP/2: reads, writes, LIST, and refusals, at once on one connection', async () => {
    const [read, write, list, refused, large] = await overH2([
      { method: 'GET', path: 'cubbyhole/a' },
      { method: 'PUT', path: 'cubbyhole/b', body: '{"k":"w"}' },
      { method: 'LIST', path: 'cubbyhole' },
      { method: 'GET', path: 'sys/nosuch' },
      { method: 'PUT', path: 'cubbyhole/c', body: '{' },
    ]);
    expect(read).toMatchObject({ status: 200, body: { data: { k: 'v' } } });
    expect(write?.status).toBe(204);
    expect(list).toMatchObject({ status: 200, body: { data: { keys: expect.arrayContaining(['a']) } } });
    expect(refused?.status).toBe(404);
    expect(large?.status).toBe(400);
  });

  test('speaks HTTP/1.1 with whoever does not ask for more', async () => {
    const { port } = new URL(listener.address);
    const request = https.request({
      host: '127.0.0.1',
      port,
      ca,
      servername: 'localhost',
      path: '/v1/cubbyhole/a',
      headers: { 'X-Vault-Token': 'root' },
    });
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect([response.httpVersion, response.statusCode]).toEqual(['1.1', 200]);
  });

  test('answers what is under way before it closes, on an HTTP/2 connection that stays open', async () => {
    const session = http2.connect(listener.address, { ca, servername: 'localhost' });
    const stream = session.request({
      ':method': 'PUT',
      ':path': '/v1/cubbyhole/late',
      'x-vault-token': 'root',
    });
    stream.write('{"k":');
    await once(session, 'remoteSettings');
    await overH2([{ method: 'GET', path: 'cubbyhole/a' }]); // by now the server has seen the stream above
    const closed = listener.close();
    stream.end('"v"}');
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(204);
    await closed;
    expect((await call(core, 'read', 'cubbyhole/late')).status).toBe(200);
  });
});
