import { readFile } from 'node:fs/promises';
import type { VaultSettings } from '../istio/ca-signer-settings.ts';
import { VaultSession } from '../istio/ca-vault-session.ts';
import type { Clock } from '../lib/clock.ts';

/** The Vault of the settings; it logs in when it is first asked. @throws Error when --vault-ca-cert cannot be read */
export async function openSession(vault: VaultSettings, clock: Clock): Promise<VaultSession> {
  const { address, namespace, login, caCertFile } = vault;
  return new VaultSession({
    address,
    namespace,
    login,
    clock,
    caCert: caCertFile === undefined ? undefined : await readFile(caCertFile, 'utf8'),
  });
}
