import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientTls, createTransport, type RawAnswer, type Transport } from '../client/transport.ts';
import { VaultClient } from '../client/vault-client.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { VaultSettings } from './config/config.ts';

/** The store as the agent talks to it: logins and renewals typed, template reads as the text that came. */
export interface VaultAccess {
  /** A client without retries of its own: the agent has its own back-off. */
  client(token?: Secret<string>): VaultClient;
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
    client: (token) =>
      new VaultClient(
        {
          address: settings.address,
          retries: 0,
          clock,
          ...(token === undefined ? {} : { token }),
          ...(settings.namespace === undefined ? {} : { namespace: settings.namespace }),
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
  const { timeoutMs } = settings;
  return createTransport({ address: new URL(settings.address), tls: await tlsOf(settings), timeoutMs });
}

/** What the settings say of TLS, files read. @throws MeshrootError when one cannot be read */
export async function tlsOf(settings: VaultSettings): Promise<ClientTls> {
  const { clientCert, clientKey, tlsServerName: serverName, skipVerify } = settings;
  const roots = await trustedRoots(settings);
  return {
    skipVerify,
    ...(roots !== undefined && { caCert: roots.join('\n') }),
    ...(clientCert !== undefined && { clientCert: await pemFile(clientCert) }),
    ...(clientKey !== undefined && { clientKey: new Secret(await pemFile(clientKey)) }),
    ...(serverName !== undefined && { serverName }),
  };
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
