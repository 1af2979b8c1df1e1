import { readFile } from 'node:fs/promises';
import type { CommanderError } from 'commander';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { type CommandEntry, commands } from './commands.ts';
import { fromGoFlags } from './go-flags.ts';
import type { Io } from './io.ts';

/** Entry of bin/meshroot: runs one command in this process and leaves with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new MeshrootError('interrupted', `stopped by ${name}`)));
  }
  process.stdout.on('error', ignoreClosedPipe);
  const io: Io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: stop.signal,
    exitCode: 0,
  };
  process.exitCode = await run(argv, io);
}

/** Runs `argv` (without node and script) against `io`; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') io.stdout.write(help());
    else if (name === '--version' || name === '-V' || name === 'version')
      io.stdout.write(`meshroot ${await version()}\n`);
    else await runCommand(name, rest, io);
    return io.exitCode;
  } catch (error) {
    return report(error, argv, io);
  }
}

async function runCommand(name: string, rest: readonly string[], io: Io): Promise<void> {
  const entry: CommandEntry | undefined = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    const near = nearestWord(name, Object.keys(commands));
    throw new MeshrootError('unknown-command', `"${name}" is not a command of meshroot`, {
      hint: near === undefined ? 'see: meshroot --help' : `did you mean: meshroot ${near}`,
    });
  }
  const args = entry.goFlags === true ? fromGoFlags(rest) : [...rest];
  if (entry.fast !== undefined && (await (await entry.fast()).run(args, io))) return;
  const { command } = await entry.load();
  const built = command(io).name(`meshroot ${name}`).exitOverride();
  for (const c of [built, ...built.commands]) {
    c.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text.replace(/^error: /, '')),
    });
  }
  await built.parseAsync(args, { from: 'user' });
}

function report(error: unknown, argv: readonly string[], io: Io): number {
  if (isCommanderError(error)) return error.exitCode === 0 ? 0 : 2;
  if (isMeshrootError(error)) {
    if (argv.includes('--json')) io.stdout.write(`${JSON.stringify({ error })}\n`);
    io.stderr.write(`${error.message}${hintBeside(error)}\n`);
    return error.exit;
  }
  io.stderr.write(`meshroot failed: ${messageOf(error)}\n`);
  if (io.env.MESHROOT_DEBUG !== undefined && error instanceof Error) io.stderr.write(`${error.stack}\n`);
  else
    io.stderr.write(
      '      this should not happen; run again with MESHROOT_DEBUG=1 and report what it prints\n',
    );
  return 2;
}

/** Beside a message of one line, below one of several. */
function hintBeside({ message, hint }: MeshrootError): string {
  if (hint === undefined) return '';
  return message.includes('\n') ? `\n      ${hint}` : `      ${hint}`;
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length), 8);
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "meshroot: keep your mesh's root of trust in Vault, prove every hop, rotate without an outage",
    '',
    'usage: meshroot COMMAND [flags]      meshroot COMMAND --help has examples',
    '',
    ...rows,
    '',
    'exit codes: 0 done, 1 it found or refused something, 2 it could not run',
    '',
  ].join('\n');
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Told by its name: a command that is not in the bundle brings its own copy of the class. */
function isMeshrootError(error: unknown): error is MeshrootError {
  return error instanceof Error && error.name === 'MeshrootError';
}

/** Told by its code: importing commander for its class would cost every fast command its start. */
function isCommanderError(error: unknown): error is CommanderError {
  return codeOf(error)?.startsWith('commander.') === true;
}

function ignoreClosedPipe(error: Error): void {
  if (codeOf(error) !== 'EPIPE') throw error; // `meshroot scan | head` closes the pipe early: not an error
}
