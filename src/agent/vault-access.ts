import { readdir, readFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { createTransport, type RawAnswer, type Transport } from '../client/transport.ts';
import { VaultClient } from '../client/vault-client.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import type { VaultSettings } from './config/config.ts';

/** The store as the agent talks to it: logins and renewals typed, template reads as the text that came. */
export interface VaultAccess {
  /** A client without retries of its own: the agent has its own back-off. */
  client(token?: Secret<string>, namespace?: string): VaultClient;
  /** An answer of any status with its text untouched, so that numbers stay what they are. */
  send(method: string, path: string, token: Secret<string>, body?: unknown): Promise<RawAnswer>;
  /** Reads certificate and key files anew; connections from now on use them. @throws MeshrootError, and the old ones stay */
  reload(): Promise<void>;
  close(): void;
}

/** @throws MeshrootError when a certificate file cannot be read or the address is none */
export async function vaultAccess(settings: VaultSettings, clock: Clock): Promise<VaultAccess> {
  let current = await transportFor(settings);
  const retired: Transport[] = [];
  const transport: Transport = {
    send: (...request) => current.send(...request),
    close: () => {
      for (const one of [current, ...retired]) one.close();
    },
  };
  return {
    client: (token, namespace = settings.namespace) =>
      new VaultClient(
        {
          address: settings.address,
          retries: 0,
          clock,
          ...(token === undefined ? {} : { token }),
          ...(namespace === undefined ? {} : { namespace }),
        },
        transport,
      ),
    send: (method, path, token, body) =>
      transport.send(
        method,
        `/v1/${path}`,
        {
          'X-Vault-Request': 'true',
          'X-Vault-Token': token.reveal(),
          ...(settings.namespace === undefined ? {} : { 'X-Vault-Namespace': settings.namespace }),
        },
        body === undefined ? undefined : JSON.stringify(body),
      ),
    reload: async () => {
      const fresh = await transportFor(settings);
      retired.push(current); // what is on its way may end
      current = fresh;
    },
    close: () => transport.close(),
  };
}

async function transportFor(settings: VaultSettings): Promise<Transport> {
  if (!URL.canParse(settings.address))
    throw new MeshrootError('bad-address', `"${settings.address}" is not an address`, {
      exit: 1,
      hint: 'for example: https://vault.example:8200',
    });
  const address = new URL(settings.address);
  const ca = await trustedRoots(settings);
  const plain =
    settings.clientCert === undefined && settings.tlsServerName === undefined && !settings.skipVerify;
  if (plain || address.protocol !== 'https:')
    return createTransport({
      address,
      timeoutMs: settings.timeoutMs,
      tls: ca === undefined ? {} : { caCert: ca.join('\n') },
    });
  return tlsTransport(settings, address, ca);
}

async function trustedRoots(settings: VaultSettings): Promise<string[] | undefined> {
  if (settings.caCertBytes !== undefined) {
    const isPem = settings.caCertBytes.includes('-----BEGIN');
    return [isPem ? settings.caCertBytes : Buffer.from(settings.caCertBytes, 'base64').toString('utf8')];
  }
  if (settings.caCert !== undefined) return [await pemFile(settings.caCert)];
  if (settings.caPath === undefined) return undefined;
  const folder = settings.caPath;
  const names = await readdir(folder).catch((error: unknown) => {
    throw new MeshrootError('bad-agent-config', `cannot read ca_path ${folder}: ${messageOf(error)}`, {
      exit: 1,
    });
  });
  return Promise.all(names.map((name) => pemFile(join(folder, name))));
}

async function pemFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new MeshrootError('bad-agent-config', `cannot read ${path}: ${messageOf(error)}`, { exit: 1 });
  });
}

/** Connections over TLS as the settings want them. @throws MeshrootError when a file cannot be read */
export async function tlsAgent(settings: VaultSettings, roots?: readonly string[]): Promise<https.Agent> {
  const ca = roots ?? (await trustedRoots(settings));
  return new https.Agent({
    keepAlive: true,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: !settings.skipVerify,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(settings.clientCert === undefined ? {} : { cert: await pemFile(settings.clientCert) }),
    ...(settings.clientKey === undefined ? {} : { key: await pemFile(settings.clientKey) }),
    ...(settings.tlsServerName === undefined ? {} : { servername: settings.tlsServerName }),
  });
}

/** HTTPS with a client certificate, another server name or no verification, which the plain transport does not know. */
async function tlsTransport(
  settings: VaultSettings,
  address: URL,
  ca: readonly string[] | undefined,
): Promise<Transport> {
  const agent = await tlsAgent(settings, ca);
  const base = address.pathname.replace(/\/+$/, '');
  return {
    close: () => agent.destroy(),
    send: async (method, path, headers, body) => {
      const url = new URL(base + path, address);
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const options = { agent, method, headers: { ...headers, ...length }, timeout: settings.timeoutMs };
      return exchange(https.request(url, options), body);
    },
  };
}

function exchange(request: http.ClientRequest, body: string | undefined): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.end(body);
  });
}
