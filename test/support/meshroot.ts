import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../bin/meshroot', import.meta.url));

export interface Run {
  readonly child: ChildProcess;
  /** Everything so far. */
  readonly output: { stdout: string; stderr: string };
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** Resolves when a line of either stream matches; rejects when the program ends before. */
  until(pattern: RegExp): Promise<string>;
}

/** Starts the real program. */
export function startMeshroot(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Run {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
        if (found === null) return;
        waiting.delete(look);
        resolve(found[0]);
      };
      waiting.add(look);
      look();
      void ended.then((code) =>
        reject(new Error(`ended with ${code} before ${pattern}: ${output.stdout}${output.stderr}`)),
      );
    });
  return { child, output, ended, until };
}

/** Runs the real program to its end. */
export async function runMeshroot(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const run = startMeshroot(args, options);
  const code = await run.ended;
  return { code, ...run.output };
}
