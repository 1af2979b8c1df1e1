import { Command } from 'commander';
import { MeshrootError } from '../lib/errors.ts';
import type { AgentFlags } from './agent-process.ts';
import type { Io } from './io.ts';

type Flags = AgentFlags;

const examples = `
examples:
  meshroot agent --config agent.hcl
  meshroot agent explain -config=agent.hcl                                  (what it would do; no network, --json)
  meshroot agent -config=base.json -config=templates/ -exit-after-auth     (as vault agent)

exit codes: 0 stopped or finished, 1 the configuration is wrong or it failed; see its log`;

/** `meshroot agent`: Vault Agent's login, sinks and templates, with the same configuration and log. */
export function command(io: Io): Command {
  return new Command()
    .description('log in by workload identity and render secrets to files, as vault agent does')
    .option('--config <path>', 'configuration file or folder, HCL or JSON; may be repeated', collect, [])
    .option('--exit-after-auth [boolean]', 'write everything once, then exit')
    .option('--log-level <level>', 'trace, debug, info, warn or error')
    .option('--log-format <format>', 'standard or json')
    .option('--log-file <path>', 'write the log there too')
    .option('--log-rotate-bytes <n>', 'size after which that file is set aside')
    .option('--log-rotate-duration <time>', 'age after which it is, 24h unless told')
    .option('--log-rotate-max-files <n>', 'files set aside that are kept; 0 for all')
    .option('--address <url>', 'of the store; wins over VAULT_ADDR and the configuration, as all of these')
    .option('--ca-cert <file>', 'roots to trust')
    .option('--ca-path <folder>', 'folder of roots to trust')
    .option('--client-cert <file>', 'certificate to show the store')
    .option('--client-key <file>', 'its key')
    .option('--tls-server-name <name>', "name to expect in the store's certificate")
    .option('--tls-skip-verify [boolean]', "do not check the store's certificate")
    .option('--namespace <path>', 'namespace of the store')
    .addHelpText('after', examples)
    .argument('[words...]', 'none: configurations are named by --config')
    .action(async (words: readonly string[], flags: Flags) => {
      if (words[0] !== undefined) throw straying(words[0]);
      const { serveAgent } = await import('./agent-process.ts');
      await serveAgent(flags, io);
    });
}

function straying(word: string): MeshrootError {
  return new MeshrootError('unknown-argument', `"${word}" is no flag of meshroot agent`, {
    exit: 2,
    hint: `is it a configuration? then write: meshroot agent -config=${word}`,
  });
}

function collect(value: string, known: readonly string[]): readonly string[] {
  return [...known, value];
}
