import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/** Where children are registered so that none outlives us, even when we are killed. */
export interface ChildRegistry {
  add(processGroup: number): Promise<void>;
  remove(processGroup: number): void;
}

export interface Child {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** Sends `signal` to the whole process group and waits for its end. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Starts a program in a process group of its own, both outputs appended to `logFile`. */
export async function startChild(
  program: readonly string[],
  options: { env: Record<string, string>; logFile: string; registry: ChildRegistry; cwd: string },
): Promise<Child> {
  const [file = '', ...args] = program;
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(file, args, {
    env: options.env,
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) => reject(notStarted(file, error)));
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      options.registry.remove(pid);
      resolve(code ?? signal ?? 'unknown');
    });
  });
  await options.registry.add(pid);
  return { pid, logFile: options.logFile, exited, stop: (signal) => stop(pid, signal, exited) };
}

async function stop(pid: number, signal: 'SIGTERM' | 'SIGKILL', exited: Promise<unknown>): Promise<void> {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
  await exited;
}

const notStarted = (file: string, cause: Error): MeshrootError =>
  new MeshrootError('not-started', `${file} cannot be started: ${codeOf(cause)}`, {
    hint: 'is it an executable for this machine?',
    cause,
  });

/** The last lines of a log, for an error message. */
export async function lastLines(path: string, count = 5): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 8192);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    await file.close();
  }
}
