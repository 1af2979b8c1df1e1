import { Command } from 'commander';
import type { Io } from './io.ts';

interface Flags {
  readonly config: readonly string[];
  readonly exitAfterAuth?: boolean | string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

const examples = `
examples:
  meshroot agent --config agent.hcl
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
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      const { serveAgent } = await import('./agent-process.ts');
      await serveAgent(flags, io);
    });
}

function collect(value: string, known: readonly string[]): readonly string[] {
  return [...known, value];
}
