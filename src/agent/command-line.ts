import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** A program that runs, and how to signal it: one that a shell runs, together with that shell. */
export interface Running {
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts what a configuration calls a command. A text, or a list of one text with blanks, is a line for the shell, as
 * consul-template reads it; any other list is program and arguments.
 */
export function startCommand(command: string | readonly string[], options: SpawnOptions): Running {
  const line = shellLine(command);
  const [program = '', ...args] = line === undefined ? command : ['/bin/sh', '-c', line];
  const isGroup = line !== undefined;
  const child = spawn(program, args, { ...options, detached: isGroup });
  const { pid } = child;
  return {
    child,
    kill: (signal) => {
      if (pid === undefined) return;
      try {
        process.kill(isGroup ? -pid : pid, signal);
      } catch {
        // it has ended by itself
      }
    },
  };
}

function shellLine(command: string | readonly string[]): string | undefined {
  if (typeof command === 'string') return command;
  const [only = ''] = command;
  return command.length === 1 && /\S\s+\S/.test(only) ? only : undefined;
}
