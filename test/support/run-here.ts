import { Writable } from 'node:stream';
import { run } from '../../src/cli/main.ts';

/** Runs one command in this process, as bin/meshroot would in its own. */
export async function runHere(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof text) =>
    new Writable({
      write(chunk, _encoding, done) {
        text[name] += String(chunk);
        done();
      },
    });
  const { signal } = new AbortController();
  const io = { stdout: sink('stdout'), stderr: sink('stderr'), env, signal, exitCode: 0 };
  return { code: await run(argv, io), ...text };
}
