import { Command } from 'commander';
import type { Io } from './io.ts';
import { migrateCommand } from './vault-migrate.ts';
import { initCommand, sealCommand, statusCommand, unsealCommand } from './vault-operator.ts';
import { serverCommand } from './vault-server-command.ts';
import { snapshotCommand } from './vault-snapshot.ts';

/** `meshroot vault`: the secret store, with the flags of Vault's own server. */
export function command(io: Io): Command {
  return new Command('vault')
    .description('the secret store: speaks the Vault HTTP API, single node, encrypted and durable')
    .addCommand(serverCommand(io))
    .addCommand(statusCommand(io))
    .addCommand(initCommand(io))
    .addCommand(unsealCommand(io))
    .addCommand(sealCommand(io))
    .addCommand(snapshotCommand(io))
    .addCommand(migrateCommand(io))
    .addHelpText(
      'after',
      `
examples:
  meshroot vault server -dev                       everything in memory, unsealed, root token printed
  meshroot vault server -config=vault.hcl          durable; then init and unseal once
  VAULT_ADDR=http://127.0.0.1:8200 meshroot vault status
  meshroot vault snapshot save backup.snap         while it runs; $VAULT_TOKEN may read sys/storage/raft/snapshot
`,
    );
}
