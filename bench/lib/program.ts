import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Runs one of our own .ts files in a process of its own: `input` goes in as JSON, the last line comes out as JSON. */
export async function runScript<T>(file: string, input: unknown): Promise<T> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: repository,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  child.stdin.end(JSON.stringify(input));
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('exit', end);
  if (code !== 0) throw new Error(`${file} failed`);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as T;
}
