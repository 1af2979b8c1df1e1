import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { days } from '../lib/duration.ts';
import type { Secret } from '../lib/secret.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueClient } from '../x509/templates/client.ts';
import { issueServing } from '../x509/templates/serving.ts';
import { testRoot } from '../x509/test-ca.ts';
import { VaultClient } from './vault-client.ts';

let server: Server;
let address: string;
let tls: { caCert: string; clientCert: string; clientKey: Secret<string>; serverName: string };

beforeAll(async () => {
  const now = Date.now();
  const issuer = await testRoot('ec-p256', days(10), now);
  const key = await generateKeyPair('ec-p256');
  const common = { issuer, publicKey: key.publicKey, ttl: days(1), now };
  const serving = await issueServing({ ...common, dns: ['vault.example'] });
  const client = await issueClient({ ...common, commonName: 'meshroot' });
  const ca = issuer.certificate.pem;
  const keyPem = privateKeyPem(key.privateKey);
  tls = { caCert: ca, clientCert: client.pem, clientKey: keyPem, serverName: 'vault.example' };
  server = createServer(
    { ca, cert: serving.pem, key: keyPem.reveal(), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
      response.end(JSON.stringify({ caller: CN }));
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const caller = async (options: Partial<typeof tls>) => {
  const client = new VaultClient({ address, retries: 0, ...options });
  const { body } = await client.request('GET', 'sys/health').finally(() => client.close());
  return body;
};

test('a vault that asks for a certificate gets it, and is checked by the name that mesh.yaml gives', async () => {
  expect(await caller(tls)).toEqual({ caller: 'meshroot' });
});

test.each([
  ['serverName', /IP: 127.0.0.1 is not in the cert's list/],
  ['caCert', /no answer from the vault/],
  ['clientCert', /no answer from the vault/],
] as const)('without %s nothing is sent', async (missing, message) => {
  const { [missing]: _, ...rest } = tls;
  await expect(caller(rest)).rejects.toMatchObject({
    code: 'vault-unreachable',
    message: expect.stringMatching(missing === 'serverName' ? /ERR_TLS_CERT_ALTNAME_INVALID/ : message),
  });
});
