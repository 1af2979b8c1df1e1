import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { migrateStore } from '../client/migrate-store.ts';
import type { MigrationStep } from '../client/store-migration.ts';
import { VaultClient } from '../client/vault-client.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly address?: string;
  readonly to: string;
  readonly toTokenFile: string;
  readonly toCaCert?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `meshroot vault migrate`: from this store to a Vault or OpenBao. */
export function migrateCommand(io: Io): Command {
  return new Command('migrate')
    .description(
      'copies policies, mounts, kv secrets, logins and entities to a Vault or OpenBao; may be run again',
    )
    .requiredOption('--to <url>', 'where to')
    .requiredOption('--to-token-file <file>', 'a token of the target that may write all this')
    .option('--to-ca-cert <file>', 'PEM of the only roots to trust for the target')
    .option(
      '--address <url>',
      'where from (default $VAULT_ADDR, else http://127.0.0.1:8200); token in $VAULT_TOKEN',
    )
    .option('--dry-run', 'read both, say what would be done, write nothing')
    .option('--json', 'one object per line')
    .action((flags: Flags) => migrate(io, flags));
}

async function migrate(io: Io, flags: Flags): Promise<void> {
  const { VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT } = io.env;
  const source = client(
    flags.address ?? VAULT_ADDR ?? 'http://127.0.0.1:8200',
    VAULT_TOKEN,
    await pem(VAULT_CACERT),
  );
  const target = client(flags.to, await tokenIn(flags.toTokenFile), await pem(flags.toCaCert));
  const counts: Record<MigrationStep['change'], number> = { made: 0, changed: 0, same: 0, left: 0 };
  try {
    await migrateStore({
      source,
      target,
      dryRun: flags.dryRun === true,
      onStep: (step) => {
        counts[step.change]++;
        io.stdout.write(flags.json === true ? `${JSON.stringify(step)}\n` : line(step));
      },
    });
  } finally {
    source.close();
    target.close();
  }
  const { made, changed, same, left } = counts;
  const would = flags.dryRun === true ? ' (nothing was written)' : '';
  io.stderr.write(`${made} made, ${changed} changed, ${same} the same, ${left} left behind${would}\n`);
}

const line = ({ what, change, why }: MigrationStep): string =>
  `${change.padEnd(8)}${what}${why === undefined ? '' : ` (${why})`}\n`;

function client(address: string, token: string | undefined, caCert: string | undefined): VaultClient {
  return new VaultClient({
    address,
    ...(token === undefined ? {} : { token: new Secret(token) }),
    ...(caCert === undefined ? {} : { caCert }),
  });
}

const pem = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : readText(file);

const tokenIn = async (file: string): Promise<string> => (await readText(file)).trim();

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new MeshrootError('bad-file', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
