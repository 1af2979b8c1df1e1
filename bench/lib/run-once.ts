import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../test/support/on-path.ts';
import type { Sample } from './measures.ts';

const time = onPath('time');

/** Named in the report. */
export const onceMeter =
  time === undefined ? 'time only (no `time` program on PATH for memory)' : 'memory and CPU by GNU time';

/**
 * One program from exec to exit: seconds, CPU seconds, peak memory (of the largest process of it).
 * @throws Error when it exits with anything else than wanted
 */
export async function runOnce(
  command: readonly string[],
  options: {
    readonly scratch: string;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** The exit code of a run that did its work; 0 unless told otherwise. */
    readonly exit?: number;
  },
): Promise<Sample> {
  const folder = await mkdtemp(join(options.scratch, 'once-'));
  const report = join(folder, 'time');
  const words = time === undefined ? command : [time, '-o', report, '-f', '%U %S %M', ...command];
  const [file = '', ...args] = words;
  const env = { PATH: process.env.PATH ?? '', HOME: folder, ...options.env };
  let text = '';
  const began = performance.now();
  const child = spawn(file, args, { cwd: options.cwd ?? folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      text = (text + part.toString()).slice(-4000);
    });
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - began) / 1000;
  if (code !== (options.exit ?? 0)) throw new Error(`${command.join(' ')} exited with ${code}: ${text}`);
  if (time === undefined) return { seconds };
  const [user = 0, system = 0, kib = 0] =
    (await readFile(report, 'utf8')).trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return { seconds, cpuSeconds: user + system, rss: (kib * 1024) / 1e6 };
}
