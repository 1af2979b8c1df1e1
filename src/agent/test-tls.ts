import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueClient } from '../x509/templates/client.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';

export interface TestPair {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

/** A root that makes certificates for servers on this machine and for clients; for tests. */
export interface TestPki {
  readonly root: Issuer;
  readonly ca: string;
  server(dns?: string): Promise<TestPair>;
  client(commonName: string): Promise<TestPair>;
  /** Puts a pair where a configuration can name it; returns the paths of certificate and key. */
  save(
    folder: string,
    name: string,
    pair: TestPair,
  ): Promise<{ readonly cert: string; readonly key: string }>;
}

const hour = 3_600_000;

export async function testPki(now = systemClock.now()): Promise<TestPki> {
  const rootKey = await generateKeyPair('ec-p256');
  const certificate = await createRoot({ key: rootKey, ttl: 240 * hour, now });
  const issuer = { certificate, privateKey: rootKey.privateKey };
  return {
    root: issuer,
    ca: certificate.pem,
    server: async (dns = 'localhost') => {
      const { publicKey, privateKey } = await generateKeyPair('ec-p256');
      const names = { dns: [dns], ips: ['127.0.0.1'] };
      const made = await issueServing({ issuer, publicKey, ...names, ttl: hour, now });
      return { cert: made.pem, key: privateKeyPem(privateKey).reveal(), serial: made.serial };
    },
    client: async (commonName) => {
      const { publicKey, privateKey } = await generateKeyPair('ec-p256');
      const made = await issueClient({ issuer, publicKey, commonName, ttl: hour, now });
      return { cert: made.pem, key: privateKeyPem(privateKey).reveal(), serial: made.serial };
    },
    save: async (folder, name, { cert, key }) => {
      const paths = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
      await writeFile(paths.cert, cert);
      await writeFile(paths.key, key, { mode: 0o600 });
      return paths;
    },
  };
}
