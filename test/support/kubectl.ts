import { execFile, spawn } from 'node:child_process';
import { layerBinary } from './layer-binary.ts';

/** Path of a real kubectl. */
export const kubectlPath = (): string => layerBinary('kubectl');

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A kubectl bound to one kubeconfig; its cache lies in `home`. */
export class Kubectl {
  readonly #path = kubectlPath();
  readonly #env: Record<string, string>;

  constructor(kubeconfig: string, home: string) {
    this.#env = { KUBECONFIG: kubeconfig, HOME: home, PATH: process.env.PATH ?? '' };
  }

  /** Runs to its end, whatever the exit code; `input` is its stdin. */
  run(args: readonly string[], input?: string): Promise<Run> {
    return new Promise((resolve) => {
      const child = execFile(
        this.#path,
        [...args],
        { env: this.#env, timeout: 60_000 },
        (error, stdout, stderr) => {
          resolve({
            code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
            stdout,
            stderr,
          });
        },
      );
      child.stdin?.end(input ?? '');
    });
  }

  /** Standard output of a command that must succeed. */
  async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Lines of a command that stays, until `done` says it has seen enough. */
  async until(args: readonly string[], done: (output: string) => boolean): Promise<string> {
    const child = spawn(this.#path, [...args], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    try {
      for await (const chunk of child.stdout) {
        output += String(chunk);
        if (done(output)) return output;
      }
      throw new Error(`kubectl ${args.join(' ')} ended early: ${output}${errors}`);
    } finally {
      child.kill();
    }
  }
}
