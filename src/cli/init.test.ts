import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from './main.ts';

const dir = mkdtempSync(join(tmpdir(), 'init-'));
const file = join(dir, 'mesh.yaml');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function init(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, env: {}, signal: new AbortController().signal, exitCode: 0 };
  const code = await run(['init', '-f', file, ...args], io);
  stderr.end();
  stdout.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

describe('meshroot init', () => {
  test('asks nobody when nobody is there, and says which flags it needs', async () => {
    expect(await init()).toMatchObject({
      code: 2,
      stderr:
        'nobody is there to be asked for --vault and --cluster      for example: meshroot init --vault https://vault.example:8200 --cluster prod-eu\n',
    });
  });

  test('prints the schema for editors', async () => {
    const { code, stdout } = await init('--schema');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { properties: { trustDomain: { type: 'string' } } },
    ]);
  });

  test('writes the file once and never over it', async () => {
    const flags = ['--vault', 'https://v:8200', '--cluster', 'prod-eu'];
    expect(await init(...flags)).toMatchObject({ code: 0, stderr: `next   meshroot plan -f ${file}\n` });
    const first = readFileSync(file, 'utf8');
    expect(await init(...flags, '--cluster', 'prod-us')).toMatchObject({
      code: 1,
      stderr: `${file} is there already and is not overwritten      name another with -f FILE, or move it away\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(first);
  });
});
