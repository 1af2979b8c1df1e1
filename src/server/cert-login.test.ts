import https from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { openTestCore } from '../vault/test-core.ts';
import { parseCertificates } from '../x509/certificate.ts';
import { createCrl } from '../x509/crl.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';
import { issueWorkload } from '../x509/templates/workload.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';

const hour = 3_600_000;

interface Client {
  readonly cert: string;
  readonly key: string;
}

let listener: VaultListener;
let rootPem: string;
let root: Issuer;
let web: Client;
let other: Client;
let stranger: Client;

async function authority(): Promise<{ root: Issuer; middle: Issuer }> {
  const now = Date.now();
  const [rootKey, middleKey] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const root = {
    certificate: await createRoot({ key: rootKey, ttl: 100 * hour, now, crlSign: true }),
    privateKey: rootKey.privateKey,
  };
  const { publicKey } = middleKey;
  const certificate = await issueIntermediate({ issuer: root, publicKey, name: 'c1', ttl: 50 * hour, now });
  return { root, middle: { certificate, privateKey: middleKey.privateKey } };
}

async function workload(issuer: Issuer, spiffeId: string): Promise<Client> {
  const key = await generateKeyPair('ec-p256');
  const { publicKey } = key;
  const leaf = await issueWorkload({ issuer, publicKey, uris: [spiffeId], ttl: hour, now: Date.now() });
  return { cert: leaf.pem + issuer.certificate.pem, key: privateKeyPem(key.privateKey).reveal() };
}

function call(
  method: string,
  path: string,
  body: object,
  client?: Client,
  token?: string,
): Promise<{ status: number; body: { auth: Record<string, unknown>; errors: string[] } }> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      `${listener.address}/v1/${path}`,
      {
        method,
        rejectUnauthorized: false,
        agent: false,
        ...client,
        headers: token === undefined ? {} : { 'X-Vault-Token': token },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text === '' ? {} : JSON.parse(text) }),
        );
      },
    );
    request.on('error', reject);
    request.end(method === 'DELETE' ? undefined : JSON.stringify(body));
  });
}

const login = (client?: Client, body: object = {}): ReturnType<typeof call> =>
  call('PUT', 'auth/cert/login', body, client);

beforeAll(async () => {
  const core = await openTestCore();
  const made = await authority();
  const { middle } = made;
  root = made.root;
  rootPem = root.certificate.pem;
  web = await workload(middle, 'spiffe://cluster.local/ns/demo/sa/web');
  other = await workload(middle, 'spiffe://cluster.local/ns/other/sa/web');
  stranger = await workload((await authority()).middle, 'spiffe://cluster.local/ns/demo/sa/web');
  const key = await generateKeyPair('ec-p256');
  const { publicKey } = key;
  const serving = await issueServing({
    issuer: root,
    publicKey,
    dns: ['localhost'],
    ttl: hour,
    now: Date.now(),
  });
  listener = await listenVault({
    core,
    clock: systemClock,
    log: silentLogger,
    host: '127.0.0.1',
    port: 0,
    tls: { cert: serving.pem, key: privateKeyPem(key.privateKey).reveal() },
  });
  await call('POST', 'sys/auth/cert', { type: 'cert' }, undefined, 'root');
  const role = {
    certificate: rootPem,
    allowed_uri_sans: 'spiffe://cluster.local/ns/demo/*',
    token_policies: 'a',
  };
  expect((await call('POST', 'auth/cert/certs/web', role, undefined, 'root')).status).toBe(204);
});

afterAll(() => listener.close());

describe('logins by client certificate', () => {
  test('a workload is known by its SPIFFE id, through its intermediate', async () => {
    const { status, body } = await login(web);
    expect(status).toBe(200);
    expect(body.auth).toMatchObject({
      policies: ['a', 'default'],
      orphan: true,
      metadata: { cert_name: 'web', common_name: '' },
    });
  });

  test('another namespace meets no condition', async () => {
    const { status, body } = await login(other);
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      'no chain matching all constraints could be found for this login certificate',
    ]);
  });

  test('a certificate of another root, an unknown role and no certificate are refused', async () => {
    const untrusted = 'invalid certificate or no client certificate supplied';
    expect((await login(stranger)).body.errors).toEqual([untrusted]);
    expect((await login(web, { name: 'none' })).body.errors).toEqual([untrusted]);
    expect((await login()).body.errors).toEqual(['no client certificate found']);
  });

  test('a renewal must show the same certificate', async () => {
    const token = String((await login(web)).body.auth.client_token);
    const renew = (client?: Client): ReturnType<typeof call> =>
      call('PUT', 'auth/token/renew-self', {}, client, token);
    expect((await renew(web)).status).toBe(200);
    expect((await renew()).body.errors).toEqual(['no client certificate found']);
    const issued = await call('POST', 'auth/cert/certs/web', { allowed_uri_sans: '' }, undefined, 'root');
    expect(issued.status).toBe(204);
    const { status, body } = await renew(other);
    expect(status).toBe(500);
    expect(body.errors[0]).toContain(
      'client identity during renewal not matching client identity used during login',
    );
  });

  test('a chain with a revoked certificate is refused until the list is gone', async () => {
    const [leaf, between] = parseCertificates(web.cert);
    const listOf = async (serial = ''): Promise<string> => {
      const [thisUpdate, nextUpdate] = [Date.now(), Date.now() + hour];
      const revoked = [{ serial, time: thisUpdate }];
      return (await createCrl({ issuer: root, number: 1, revoked, thisUpdate, nextUpdate })).pem;
    };
    // The leaf's number says nothing in a list of somebody else than its issuer.
    const [foreign, own] = [await listOf(leaf?.serial), await listOf(between?.serial)];
    const give = (crl: string | undefined): ReturnType<typeof call> =>
      call('POST', 'auth/cert/crls/mesh', { crl }, undefined, 'root');
    expect((await give(foreign)).status).toBe(204);
    expect((await login(web)).status).toBe(200);
    expect((await give(own)).status).toBe(204);
    expect((await login(web)).body.errors).toEqual([
      'no chain matching all constraints could be found for this login certificate',
    ]);
    expect((await call('DELETE', 'auth/cert/crls/mesh', {}, undefined, 'root')).status).toBe(204);
    expect((await login(web)).status).toBe(200);
  });

  test('required extensions are looked at', async () => {
    const write = (fields: object): ReturnType<typeof call> =>
      call('POST', 'auth/cert/certs/web', fields, undefined, 'root');
    expect((await write({ required_extensions: 'no rule' })).body.errors).toEqual([
      'required_extensions: "no rule" is not OID:VALUE',
    ]);
    await write({ required_extensions: '1.2.3.4:*' });
    expect((await login(web)).status).toBe(400);
    await write({ required_extensions: '2.5.29.17:*' });
    expect((await login(web)).status).toBe(200);
    await write({ required_extensions: '' });
  });
});
