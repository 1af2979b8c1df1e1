import { Command } from 'commander';
import { MeshrootError } from '../lib/errors.ts';
import { type InitAnswers, initFile } from '../mesh/init-file.ts';
import { meshJsonSchema } from '../mesh/json-schema.ts';
import { initFromContext } from './init-from-context.ts';
import type { Io } from './io.ts';
import { writeNew } from './write-new.ts';

const examples = `
examples:
  meshroot init                                               a few questions, then mesh.yaml
  meshroot init --vault https://vault.example:8200 --cluster eu=prod-eu --cluster us=prod-us
  meshroot init --vault https://vault.example:8200 --cluster prod-eu --no-injector -f eu.yaml
  meshroot init --from-context prod-eu --from-context prod-us --vault https://vault.example:8200
                                                              of clusters that run: looks, and changes nothing
  meshroot init --schema > mesh.schema.json                   every word of mesh.yaml, for editors

an existing file is never overwritten
`;

interface Flags {
  readonly file: string;
  readonly vault?: string;
  readonly trustDomain: string;
  readonly cluster: string[];
  readonly keyType: string;
  readonly injector: boolean;
  readonly fromContext: string[];
  readonly kubeconfig?: string;
  readonly json?: boolean;
  readonly schema?: boolean;
}

/** `meshroot init`: writes a commented mesh.yaml. */
export function command(io: Io): Command {
  return new Command()
    .description('write a commented mesh.yaml, by flags or a few questions')
    .option('-f, --file <file>', 'where to', 'mesh.yaml')
    .option('--vault <url>', 'address of your Vault or OpenBao (default: $VAULT_ADDR)')
    .option('--trust-domain <name>', 'of all identities', 'cluster.local')
    .option(
      '--cluster <context>',
      'a context of your kubeconfig, or NAME=CONTEXT; again and again',
      again,
      [],
    )
    .option(
      '--from-context <context>',
      'a cluster that runs: read what its mesh is like; NAME=CONTEXT too; again and again',
      again,
      [],
    )
    .option('--kubeconfig <file>', 'where those contexts are')
    .option('--key-type <type>', 'of the root: ec-p256, ec-p384 or rsa-4096', 'ec-p384')
    .option('--no-injector', 'the injector comes from elsewhere, for example its Helm chart')
    .option('--json', 'print what was found as JSON')
    .option('--schema', 'print the JSON Schema of mesh.yaml, for editors, and nothing else')
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

const again = (word: string, words: readonly string[]): string[] => [...words, word];

async function run(flags: Flags, io: Io): Promise<void> {
  if (flags.schema === true) {
    io.stdout.write(`${JSON.stringify(meshJsonSchema(), null, 2)}\n`);
    return;
  }
  if (flags.fromContext.length > 0) {
    if (flags.cluster.length === 0) return initFromContext(flags, io);
    throw new MeshrootError('two-ways', '--cluster and --from-context are two ways to name clusters', {
      hint: 'use --from-context for those that run a mesh, and add the others to the file',
    });
  }
  const answers = await ask(flags, io);
  const text = initFile(answers);
  await writeNew(flags.file, text);
  io.stdout.write(`${flags.file}\n`);
  io.stderr.write(`next   meshroot plan -f ${flags.file}\n`);
}

async function ask(flags: Flags, io: Io): Promise<InitAnswers> {
  const vault = flags.vault ?? io.env.VAULT_ADDR ?? '';
  const given = { ...flags, vault, clusters: flags.cluster };
  if (vault !== '' && flags.cluster.length > 0) return given;
  if (!process.stdin.isTTY) {
    const missing = [
      ...(vault === '' ? ['--vault'] : []),
      ...(flags.cluster.length === 0 ? ['--cluster'] : []),
    ];
    throw new MeshrootError('not-answered', `nobody is there to be asked for ${missing.join(' and ')}`, {
      hint: 'for example: meshroot init --vault https://vault.example:8200 --cluster prod-eu',
    });
  }
  const { text, isCancel } = await import('@clack/prompts');
  const answer = async (message: string, initialValue: string): Promise<string> => {
    const typed = await text({ message, initialValue, output: io.stderr });
    if (isCancel(typed)) throw new MeshrootError('not-answered', 'nothing was written', { exit: 1 });
    return typed;
  };
  const address = await answer('address of your Vault', vault || 'https://vault.example:8200');
  const clusters = await answer(
    'contexts of your clusters, with spaces between them',
    given.clusters.join(' '),
  );
  return { ...given, vault: address, clusters: clusters.split(/\s+/).filter((word) => word !== '') };
}
