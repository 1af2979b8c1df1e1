import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

/** A terminal that keeps what it is shown. */
class Terminal extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly #onText: (text: string) => void;
  constructor(isTTY: boolean, onText: (text: string) => void = () => {}) {
    super();
    this.isTTY = isTTY;
    this.#onText = onText;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#onText(this.text);
    done();
  }
}

const red = '\u001b[31m';

describe('status', () => {
  let world: MeshWorld;
  let argv: readonly string[];
  beforeAll(async () => {
    world = await startMeshWorld();
    argv = ['status', '-f', world.meshFile('mesh.yaml'), '--within', '3650d'];
    const { code } = await runHere(['apply', '--yes', '-f', join(world.dir, 'mesh.yaml')], world.env);
    expect(code).toBe(0);
  });
  afterAll(() => world?.stop());

  const shown = async (isTTY: boolean, env: Record<string, string> = {}): Promise<string> => {
    const stdout = new Terminal(isTTY);
    const { signal } = new AbortController();
    const io = { stdout, stderr: new Terminal(false), env: { ...world.env, ...env }, signal, exitCode: 0 };
    expect(await run(argv, io)).toBe(1);
    return stdout.text;
  };

  test('what ends soon is red on a terminal, and only there, and not where nobody wants colours', async () => {
    expect(await shown(true)).toContain(red);
    expect(await shown(false)).not.toContain(red);
    expect(await shown(true, { NO_COLOR: '1' })).not.toContain(red);
    expect(await shown(true, { TERM: 'dumb' })).not.toContain(red);
  });

  test('--watch leaves at once when it is stopped, with the exit code of its last look', async () => {
    const stop = new AbortController();
    const trees = (text: string): number => text.split('Root CA').length - 1;
    const stdout = new Terminal(false, (text) => {
      if (trees(text) === 1) stop.abort();
    });
    const io = { stdout, stderr: new Terminal(false), env: world.env, signal: stop.signal, exitCode: 0 };
    expect(await run([...argv, '--watch'], io)).toBe(1);
    expect(trees(stdout.text)).toBe(1);
  });
});
