import { type AgentFlags, serveAgent } from './agent-process.ts';
import type { Io } from './io.ts';

const values = new Map<string, 'logLevel' | 'logFormat'>([
  ['--log-level', 'logLevel'],
  ['--log-format', 'logFormat'],
]);

/** The flags of `meshroot agent` read by hand; false for `--help` and for anything that is not one of them. */
export async function run(argv: readonly string[], io: Io): Promise<boolean> {
  const flags = parseFlags(argv);
  if (flags === undefined) return false;
  await serveAgent(flags, io);
  return true;
}

export function parseFlags(argv: readonly string[]): AgentFlags | undefined {
  const config: string[] = [];
  const flags: { exitAfterAuth?: boolean | string; logLevel?: string; logFormat?: string } = {};
  for (let i = 0; i < argv.length; i++) {
    const [name = '', inline] = splitFlag(argv[i] ?? '');
    if (name === '--exit-after-auth') {
      flags.exitAfterAuth = inline ?? true;
      continue;
    }
    const value = inline ?? argv[++i];
    const key = values.get(name);
    if (value === undefined || (name !== '--config' && key === undefined)) return undefined;
    if (key === undefined) config.push(value);
    else flags[key] = value;
  }
  return { config, ...flags };
}

function splitFlag(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
