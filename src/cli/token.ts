import { Command } from 'commander';
import { readVault } from '../agent/config/vault-stanza.ts';
import { vaultAccess } from '../agent/vault-access.ts';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Io } from './io.ts';
import { vaultToken } from './reach.ts';

interface Flags {
  readonly address?: string;
  readonly caCert?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly self?: boolean;
}

/**
 * `vault token revoke -self` as injectors put it into an agent's preStop hook (annotation agent-revoke-on-shutdown): takes the
 * token of VAULT_TOKEN, else of ~/.vault-token, back. The store is found by the flags, else as the agent finds it.
 */
export function command(io: Io): Command {
  const token = new Command().description('the token of an agent');
  token
    .command('revoke')
    .description('take the token of this agent back')
    .option('--self', 'the token in use; no other can be named')
    .option('--address <url>', 'of the store')
    .option('--ca-cert <file>', 'roots to trust')
    .option('--client-cert <file>', 'certificate to show')
    .option('--client-key <file>', 'its key')
    .action((flags: Flags) => revokeSelf(flags, io));
  return token;
}

async function revokeSelf({ self, ...flags }: Flags, io: Io): Promise<void> {
  if (self !== true)
    throw new MeshrootError('bad-usage', 'only the own token can be revoked here', {
      hint: 'meshroot token revoke -self',
    });
  const given = {
    VAULT_ADDR: flags.address,
    VAULT_CACERT: flags.caCert,
    VAULT_CLIENT_CERT: flags.clientCert,
    VAULT_CLIENT_KEY: flags.clientKey,
  };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const access = await vaultAccess(readVault(undefined, { ...io.env, ...named }), systemClock);
  try {
    await access.client(await vaultToken(io.env)).write('auth/token/revoke-self', {});
    io.stdout.write('Success! Revoked token (if it existed)\n');
  } finally {
    access.close();
  }
}
