import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A command of an image: the program and its first arguments; `when` chooses by the first argument given. */
export interface Tool {
  readonly argv: readonly string[];
  readonly when?: Readonly<Record<string, readonly string[]>>;
}

export interface ImageProgram {
  /** Repositories without registry and tag, `hashicorp/vault`; a registry before it is accepted. */
  readonly repositories: readonly string[];
  readonly tools: Readonly<Record<string, Tool>>;
  /** ENTRYPOINT of the image, used when the container has no `command`. */
  readonly entrypoint: readonly string[];
  /** HOME of the image's user, a path of the container. */
  readonly home?: string;
  /**
   * For a program that reads its service account at the fixed path: the command that gives it mounts of its own.
   * Ours read $KUBECONFIG and need none.
   */
  readonly mountNamespace?: readonly string[];
}

/** The parts that `--with PART=PATH` replaces by a real binary. */
export interface RealBinaries {
  readonly agent?: string | undefined;
  readonly istiod?: string | undefined;
  readonly injector?: string | undefined;
  /** See `ImageProgram.mountNamespace`; the real injector needs it. */
  readonly mountNamespace?: readonly string[] | undefined;
}

const launcher = fileURLToPath(new URL('../../../bin/meshroot', import.meta.url));

/** Known images and the local programs that stand for them. */
export function imageTable(
  real: RealBinaries = {},
  meshroot: readonly string[] = [process.execPath, launcher],
): readonly ImageProgram[] {
  const run = (...first: string[]): readonly string[] => [...meshroot, ...first];
  const vault: Tool = real.agent ? { argv: [real.agent] } : { argv: run('vault'), when: { agent: run() } };
  return [
    {
      repositories: ['hashicorp/vault', 'openbao/openbao', 'vault', 'hashicorp/vault-enterprise'],
      tools: { vault, bao: vault },
      entrypoint: ['vault'],
      home: '/home/vault',
    },
    {
      repositories: ['hashicorp/vault-k8s'],
      tools: { 'vault-k8s': { argv: real.injector ? [real.injector] : run('injector') } },
      entrypoint: ['vault-k8s'],
      ...(real.injector && real.mountNamespace ? { mountNamespace: real.mountNamespace } : {}),
    },
    {
      repositories: ['istio/pilot', 'istio-release/pilot', 'istio-testing/pilot'],
      tools: { 'pilot-discovery': { argv: real.istiod ? [real.istiod] : run('ca') } },
      entrypoint: ['pilot-discovery'],
      home: '/home/istio-proxy',
    },
    {
      repositories: ['meshroot/workload'],
      tools: { workload: { argv: run('workload') }, meshroot: { argv: run() } },
      entrypoint: ['workload'],
    },
  ];
}

/** The program for `image`, or undefined. A registry host, tag and digest do not matter. */
export function findImage(table: readonly ImageProgram[], image: string): ImageProgram | undefined {
  const repository = repositoryOf(image);
  return table.find((program) =>
    program.repositories.some(
      (known) => repository === known || (known.includes('/') && repository.endsWith(`/${known}`)),
    ),
  );
}

function repositoryOf(image: string): string {
  const name = (image.split('@')[0] ?? '').replace(/:[^:/]*$/, '');
  return name.replace(/^docker\.io\/(library\/)?/, '');
}

/** Folders where images keep commands; `/bin/vault` must be found like `vault`. */
export const commandFolders = ['/bin', '/usr/bin', '/usr/local/bin'] as const;

/**
 * Writes one executable per tool into `folder`: sh scripts of a few lines, so that shells, absolute paths and `exec` find
 * the program under the name it has in the image.
 */
export async function writeTools(folder: string, program: ImageProgram): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, tool] of Object.entries(program.tools)) {
    const file = join(folder, name);
    await writeFile(file, toolScript(tool));
    await chmod(file, 0o755);
  }
}

function toolScript(tool: Tool): string {
  const exec = (argv: readonly string[]): string => `exec ${argv.map(quote).join(' ')} "$@"`;
  const cases = Object.entries(tool.when ?? {}).map(([word, argv]) => `  ${quote(word)}) ${exec(argv)} ;;\n`);
  const choice = cases.length === 0 ? '' : `case "$1" in\n${cases.join('')}esac\n`;
  return `#!/bin/sh\n${choice}${exec(tool.argv)}\n`;
}

/** `text` as one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
