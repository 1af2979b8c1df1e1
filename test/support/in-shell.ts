import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { kubectlPath } from './kubectl.ts';

const root = new URL('../../', import.meta.url).pathname;

/** The commands of a document's block ```` ```sh NAME ````, as they stand there. */
export function commandsOf(document: string, name: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const block = new RegExp(`^\`\`\`sh ${name}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text)?.[1];
  if (block === undefined) throw new Error(`${document} has no block "sh ${name}"`);
  return block.split('\n').filter((line) => line !== '');
}

/** A shell in `dir` that finds meshroot and kubectl. */
export function shellIn(dir: string, env: Readonly<Record<string, string>>) {
  const bin = join(dir, '.bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, path] of Object.entries({
    meshroot: join(root, 'bin/meshroot'),
    kubectl: kubectlPath(),
  })) {
    symlinkSync(path, join(bin, name));
  }
  const all = { ...env, HOME: dir, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  return (command: string): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(
        'bash',
        ['-o', 'pipefail', '-ec', command],
        { cwd: dir, env: all },
        (error, stdout, stderr) => {
          resolve({
            code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
            stdout,
            stderr,
          });
        },
      );
    });
}
