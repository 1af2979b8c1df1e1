import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from './kubectl.ts';
import { layerBinary } from './layer-binary.ts';

/** The folder of the repository, from which charts are named. */
const root = new URL('../../', import.meta.url).pathname;

/** Runs a real helm in the repository to its end, whatever the exit code; it reads no kubeconfig and no settings of yours. */
export async function helm(args: readonly string[]): Promise<Run> {
  const home = mkdtempSync(join(tmpdir(), 'meshroot-helm-'));
  const env = { HOME: home, PATH: process.env.PATH ?? '', KUBECONFIG: join(home, 'none') };
  try {
    return await new Promise((resolve) => {
      execFile(
        layerBinary('helm'),
        [...args],
        { cwd: root, env, timeout: 60_000 },
        (error, stdout, stderr) => {
          const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
          resolve({ code, stdout, stderr });
        },
      );
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** What `helm template` prints for the chart. @throws when it fails */
export async function helmTemplate(
  release: string,
  namespace: string,
  args: readonly string[],
): Promise<string> {
  const all = ['template', release, 'charts/meshroot', '--namespace', namespace, ...args];
  const { code, stdout, stderr } = await helm(all);
  if (code !== 0) throw new Error(`helm ${all.join(' ')}: exit ${code}: ${stderr}`);
  return stdout;
}
