import { type AgentFlags, serveAgent } from './agent-process.ts';
import type { Io } from './io.ts';

type ValueFlag = Exclude<keyof AgentFlags, 'config' | 'exitAfterAuth' | 'tlsSkipVerify'>;

const values = new Map<string, ValueFlag>([
  ['--log-level', 'logLevel'],
  ['--log-format', 'logFormat'],
  ['--log-file', 'logFile'],
  ['--log-rotate-bytes', 'logRotateBytes'],
  ['--log-rotate-duration', 'logRotateDuration'],
  ['--log-rotate-max-files', 'logRotateMaxFiles'],
  ['--address', 'address'],
  ['--ca-cert', 'caCert'],
  ['--ca-path', 'caPath'],
  ['--client-cert', 'clientCert'],
  ['--client-key', 'clientKey'],
  ['--tls-server-name', 'tlsServerName'],
  ['--namespace', 'namespace'],
]);
const booleans = new Map<string, 'exitAfterAuth' | 'tlsSkipVerify'>([
  ['--exit-after-auth', 'exitAfterAuth'],
  ['--tls-skip-verify', 'tlsSkipVerify'],
]);

/** The flags of `meshroot agent` read by hand; false for `--help` and for anything that is not one of them. */
export async function run(argv: readonly string[], io: Io): Promise<boolean> {
  if (argv[0] === 'explain') return runExplain(argv.slice(1), io);
  const flags = parseFlags(argv);
  if (flags === undefined) return false;
  await serveAgent(flags, io);
  return true;
}

async function runExplain(argv: readonly string[], io: Io): Promise<boolean> {
  const flags = parseFlags(argv.filter((word) => word !== '--json'));
  if (flags === undefined) return false;
  const { explain } = await import('./agent-explain.ts');
  await explain(flags, argv.includes('--json'), io);
  return true;
}

export function parseFlags(argv: readonly string[]): AgentFlags | undefined {
  const config: string[] = [];
  const flags: { -readonly [K in keyof AgentFlags]: AgentFlags[K] } = { config };
  for (let i = 0; i < argv.length; i++) {
    const [name = '', inline] = splitFlag(argv[i] ?? '');
    const boolean = booleans.get(name);
    if (boolean !== undefined) {
      flags[boolean] = inline ?? true;
      continue;
    }
    const value = inline ?? argv[++i];
    const key = values.get(name);
    if (value === undefined || (name !== '--config' && key === undefined)) return undefined;
    if (key === undefined) config.push(value);
    else flags[key] = value;
  }
  return flags;
}

function splitFlag(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
