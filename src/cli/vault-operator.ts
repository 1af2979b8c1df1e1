import { Command } from 'commander';
import { VaultClient } from '../client/vault-client.ts';
import { MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly address?: string;
  readonly json?: boolean;
  readonly keyShares?: string;
  readonly keyThreshold?: string;
}

function base(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--address <url>', 'of the store (default $VAULT_ADDR, else http://127.0.0.1:8200)')
    .option('--json', 'print the answer as JSON');
}

function clientFor(io: Io, flags: Flags): VaultClient {
  const token = io.env.VAULT_TOKEN;
  return new VaultClient({
    address: flags.address ?? io.env.VAULT_ADDR ?? 'http://127.0.0.1:8200',
    retries: 0,
    ...(token === undefined ? {} : { token: new Secret(token) }),
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** Exit code 0 when it is open, 2 when it is sealed, 1 when it cannot be asked: as Vault's own, so that scripts fit both. */
export function statusCommand(io: Io): Command {
  return base('status', 'is it initialised, is it sealed (exit code 0 open, 2 sealed, 1 error)').action(
    async (flags: Flags) => {
      const status = await askStatus(io, flags);
      showStatus(io, flags, status);
      if (status.sealed !== false) io.exitCode = 2;
    },
  );
}

async function askStatus(io: Io, flags: Flags): Promise<Fields> {
  try {
    return (await clientFor(io, flags).read('sys/seal-status'))?.data ?? {};
  } catch (error) {
    if (!(error instanceof MeshrootError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new MeshrootError(error.code, error.message, { ...hint, exit: 1, cause: error });
  }
}

export function initCommand(io: Io): Command {
  return base('init', 'makes a new store; its key shares and root token are shown once')
    .option('--key-shares <n>', 'how many shares', '5')
    .option('--key-threshold <n>', 'how many of them unseal', '3')
    .action(async (flags: Flags) => {
      const answer = await clientFor(io, flags).write('sys/init', {
        secret_shares: Number(flags.keyShares),
        secret_threshold: Number(flags.keyThreshold),
      });
      const data = answer?.data ?? {};
      if (flags.json === true) {
        io.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
        return;
      }
      const keys = Array.isArray(data.keys_base64) ? data.keys_base64.map(String) : [];
      for (const [i, key] of keys.entries()) io.stdout.write(`Unseal Key ${i + 1}: ${key}\n`);
      io.stdout.write(`\nInitial Root Token: ${String(data.root_token)}\n`);
    });
}

export function unsealCommand(io: Io): Command {
  return base('unseal', 'gives one key share')
    .argument('[key]', 'hex or base64; read from stdin without it, which keeps it out of the process list')
    .action(async (key: string | undefined, flags: Flags) => {
      const share = key ?? (await readStdin());
      const answer = await clientFor(io, flags).write('sys/unseal', { key: share.trim() });
      showStatus(io, flags, answer?.data ?? {});
    });
}

export function sealCommand(io: Io): Command {
  return base('seal', 'closes the store; it takes the key shares to open it again').action(
    async (flags: Flags) => {
      await clientFor(io, flags).write('sys/seal');
      if (flags.json === true) io.stdout.write('{"sealed":true}\n');
      else io.stdout.write('the store is sealed\n');
    },
  );
}

function showStatus(io: Io, { json }: Flags, status: Fields): void {
  if (json === true) {
    io.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    return;
  }
  const rows: readonly (readonly [string, unknown])[] = [
    ['Seal Type', status.type],
    ['Initialized', status.initialized],
    ['Sealed', status.sealed],
    ['Total Shares', status.n],
    ['Threshold', status.t],
    ['Unseal Progress', `${status.progress}/${status.t}`],
    ['Version', status.version],
    ['Storage Type', status.storage_type],
  ];
  for (const [name, value] of rows) io.stdout.write(`${name.padEnd(18)}${String(value)}\n`);
}

async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  if (text.trim() === '')
    throw new MeshrootError('no-key', 'no key share was given on stdin or as an argument');
  return text;
}
