import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';

const ttl = 30 * 24 * 3_600_000;

/** Paths of PEM files. */
export interface DevTls {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * A CA that nobody else has and a certificate of it for this machine, in the files that `-dev-tls` leaves behind. The CA's key
 * is forgotten at once.
 * @param host another address that the server listens on
 * @param folder made if it is not there; a new one below the temporary folder without it
 * @throws MeshrootError `dev-tls-failed`
 */
export async function makeDevTls(host: string, folder: string | undefined, clock: Clock): Promise<DevTls> {
  const now = clock.now();
  const [rootKey, key] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const root = await createRoot({ key: rootKey, ttl, now });
  const issuer = { certificate: root, privateKey: rootKey.privateKey };
  const isName = /[a-z]/i.test(host) && !host.includes(':');
  const made = await issueServing({
    issuer,
    publicKey: key.publicKey,
    dns: [...new Set(['localhost', ...(isName ? [host] : [])])],
    ips: [...new Set(['127.0.0.1', '::1', ...(isName || host === '' ? [] : [host])])],
    ttl: ttl - 3_600_000,
    now,
  });
  try {
    if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const at = folder ?? mkdtempSync(join(tmpdir(), 'vault-tls-'));
    const put = (name: string, text: string): string => {
      writeFileSync(join(at, name), text, { mode: 0o600 });
      return join(at, name);
    };
    return {
      caFile: put('vault-ca.pem', root.pem),
      certFile: put('vault-cert.pem', made.pem),
      keyFile: put('vault-key.pem', privateKeyPem(key.privateKey).reveal()),
    };
  } catch (error) {
    throw new MeshrootError('dev-tls-failed', `the files of -dev-tls cannot be written: ${messageOf(error)}`);
  }
}
