import { Command } from 'commander';
import { signOffline } from '../istio/sign-offline.ts';
import { systemClock } from '../lib/clock.ts';
import { describeCertificate } from '../x509/describe.ts';
import { isoDay } from '../x509/validity-rule.ts';
import type { Io } from './io.ts';
import { readPassphrase } from './passphrase.ts';
import { ttlFlag } from './ttl-flag.ts';

const examples = `
examples:
  meshroot pki sign-offline meshroot-sign/*.csr.pem               asks for the passphrase of ./root-key.pem
  meshroot pki sign-offline eu.csr.pem --dir /media/root --ttl 30d

the key is used here and goes nowhere; carry NAME.cert.pem back to where NAME.csr.pem came from and run meshroot apply`;

interface Flags {
  readonly dir: string;
  readonly ttl: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

/** `meshroot pki sign-offline`: signs intermediates where the root is, on a machine without a network. */
export function signOfflineCommand(io: Io): Command {
  return new Command('sign-offline')
    .description('sign requests that apply wrote, with the encrypted root of this machine')
    .argument('<request...>', 'NAME.csr.pem; the certificate becomes NAME.cert.pem beside it')
    .option('--dir <folder>', 'where root-key.pem and root-cert.pem are', '.')
    .option('--ttl <duration>', 'how long an intermediate is good for', '90d')
    .option('--passphrase-file <file>', 'the passphrase, mode 0600; asked for without it')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((requests: string[], flags: Flags) => run(requests, flags, io));
}

async function run(requests: readonly string[], flags: Flags, io: Io): Promise<void> {
  const ttl = ttlFlag(flags.ttl);
  const passphrase = await readPassphrase(io, { file: flags.passphraseFile, fresh: false });
  const now = systemClock.now();
  const signed = await signOffline({ folder: flags.dir, requests, passphrase, ttl, now });
  if (flags.json) {
    const rows = signed.map(({ name, file, certificate: { serial, notAfter } }) => ({
      name,
      file,
      serial,
      notAfter: new Date(notAfter).toISOString(),
    }));
    io.stdout.write(`${JSON.stringify({ signed: rows })}\n`);
    return;
  }
  for (const { certificate, file } of signed) {
    io.stdout.write(`${file}\n`);
    io.stderr.write(`${describeCertificate(certificate)}, to ${isoDay(certificate.notAfter)}\n`);
  }
  io.stderr.write('next   carry them back to the folder of the requests, then: meshroot apply\n');
}
