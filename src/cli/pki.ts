import { Command, Option } from 'commander';
import { createIntermediateFiles, createRootFiles } from '../istio/pki-files.ts';
import { systemClock } from '../lib/clock.ts';
import { humanDuration } from '../lib/duration.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { type KeyType, keyTypes } from '../x509/keys.ts';
import { isoDay } from '../x509/validity-rule.ts';
import type { Io } from './io.ts';
import { readPassphrase } from './passphrase.ts';
import { signOfflineCommand } from './pki-sign-offline.ts';
import { ttlFlag } from './ttl-flag.ts';

interface PkiFlags {
  readonly keyType: KeyType;
  readonly ttl?: string;
  readonly dir: string;
  readonly json?: boolean;
}

interface RootFlags extends PkiFlags {
  readonly encrypt?: boolean;
  readonly passphraseFile?: string;
}

/** `meshroot pki`: root and intermediates as files, in the layout of Istio's tools/certs. */
export function command(io: Io): Command {
  const pki = new Command('pki').description(
    'root and intermediates as files, as the Makefiles of Istio’s tools/certs',
  );
  withFlags(pki.command('root'))
    .description('a self-signed root: root-key.pem and root-cert.pem')
    .option('--encrypt', 'protect the key with a passphrase, which is asked for')
    .option('--passphrase-file <file>', 'the passphrase, mode 0600; implies --encrypt')
    .addHelpText('after', rootExamples)
    .action((flags: RootFlags) => root(io, flags));
  withFlags(pki.command('intermediate'))
    .description('an intermediate CA for one cluster: NAME/{ca-key,ca-cert,cert-chain,root-cert}.pem')
    .argument('<name>', 'folder and L= of the subject, for example istiod-cluster1')
    .option('--renew', 'replace the set that is there, with a new key')
    .addHelpText('after', intermediateExamples)
    .action((name: string, flags: PkiFlags & { renew?: boolean }) => intermediate(io, name, flags));
  return pki.addCommand(signOfflineCommand(io));
}

function withFlags(command: Command): Command {
  return command
    .addOption(new Option('--key-type <type>', 'kind of key').choices([...keyTypes]).default('rsa-4096'))
    .option(
      '--ttl <duration>',
      'how long it is good for (default 3650d, an intermediate at most as long as its root)',
    )
    .option('--dir <folder>', 'where the files are', '.')
    .option('--json', 'print one JSON object');
}

const rootExamples = `
examples:
  meshroot pki root                                        RSA-4096, ten years, into this folder
  meshroot pki root --key-type ec-p384 --dir certs
  meshroot pki root --encrypt --key-type ec-p384           for a machine without a network: see pki sign-offline`;

const intermediateExamples = `
examples:
  meshroot pki intermediate istiod-cluster1                signed by the root of this folder
  meshroot pki intermediate istiod-cluster1 --renew --ttl 90d --key-type ec-p256`;

async function root(io: Io, flags: RootFlags): Promise<void> {
  const { encrypt, passphraseFile: file } = flags;
  const locked = encrypt === true || file !== undefined;
  const passphrase = locked ? await readPassphrase(io, { file, fresh: true }) : undefined;
  const { certificate, keyType, files } = await createRootFiles({ ...settings(flags), passphrase });
  const facts = { kind: 'root', files, keyType, ...certificateFacts(certificate) };
  const dir = flags.dir === '.' ? '' : ` --dir ${flags.dir}`;
  const next = locked
    ? `copy ${files[1]} beside mesh.yaml, write root: offline into it, meshroot apply`
    : `meshroot pki intermediate NAME${dir}`;
  print(io, flags, facts, certificate, next);
}

async function intermediate(io: Io, name: string, flags: PkiFlags & { renew?: boolean }): Promise<void> {
  const options = { ...settings(flags), name, renew: flags.renew ?? false };
  const { certificate, keyType, files, root, renewed } = await createIntermediateFiles(options);
  if (flags.ttl === undefined && certificate.notAfter === root.notAfter) {
    io.stderr.write(`it ends with its root, ${isoDay(root.notAfter)}\n`);
  }
  const facts = { kind: 'intermediate', name, renewed, files, keyType, ...certificateFacts(certificate) };
  print(io, flags, facts, certificate, `meshroot scan ${flags.dir}`);
}

function settings(flags: PkiFlags): {
  folder: string;
  keyType: KeyType;
  ttl: number | undefined;
  now: number;
} {
  const ttl = flags.ttl === undefined ? undefined : ttlFlag(flags.ttl);
  return { folder: flags.dir, keyType: flags.keyType, ttl, now: systemClock.now() };
}

function certificateFacts(certificate: Certificate): Record<string, unknown> {
  const { serial, fingerprint, notBefore, notAfter } = certificate;
  return {
    subject: describeCertificate(certificate),
    serial,
    fingerprint,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
  };
}

function print(io: Io, flags: PkiFlags, facts: object, certificate: Certificate, next: string): void {
  if (flags.json === true) {
    io.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const { files } = facts as { files: readonly string[] };
  for (const file of files) io.stdout.write(`${file}\n`);
  const left = humanDuration(certificate.notAfter - systemClock.now());
  io.stderr.write(
    `${describeCertificate(certificate)}, ${flags.keyType}, to ${isoDay(certificate.notAfter)} (${left})\n`,
  );
  io.stderr.write(`next   ${next}\n`);
}
