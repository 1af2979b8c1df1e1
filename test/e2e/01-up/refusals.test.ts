import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Run, runMeshroot, startMeshroot } from '../../support/meshroot.ts';
import { canSeeProcesses, processesAround } from '../../support/processes.ts';

const base = mkdtempSync(join(tmpdir(), 'up-refusals-'));
let running: Run | undefined;
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('up refuses', () => {
  test('a port that is taken, with another one to use', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const dir = join(base, 'port');
    const { code, stderr } = await runMeshroot(['up', '--once', '--dir', dir, '--port-base', String(port)]);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toContain(
      `port ${port} is taken by another program      use other ports: --port-base ${port + 1000}`,
    );
    expect(readdirSync(dir)).toEqual([]);
  });

  test('a half-made folder, untouched', async () => {
    const dir = join(base, 'half');
    mkdirSync(join(dir, 'store'), { recursive: true });
    const { code, stderr } = await runMeshroot(['up', '--once', '--dir', dir]);
    expect(code).toBe(2);
    expect(stderr).toContain('was left half-made by an up that did not come to its end');
    expect(readdirSync(dir)).toEqual(['store']);
  });

  test("somebody else's folder, untouched", async () => {
    const dir = join(base, 'foreign');
    mkdirSync(dir);
    writeFileSync(join(dir, 'thesis.txt'), 'mine');
    const { code, stderr } = await runMeshroot(['up', '--once', '--dir', dir]);
    expect([code, readdirSync(dir)]).toEqual([2, ['thesis.txt']]);
    expect(stderr).toContain('holds other files (thesis.txt)      choose an empty or new folder with --dir');
  });

  test.each([
    [['--with', 'istoid=/x'], '"istoid" is no part; did you mean istiod?'],
    [['--with', 'vault=/nowhere/vault'], '/nowhere/vault is no file'],
    [
      ['--key-type', 'rsa-512'],
      '--key-type rsa-512 is not known here      one of: ec-p256, ec-p384, rsa-4096',
    ],
    [['--clusters', '1'], 'must be a whole number from 2 to 9'],
    [['--onec'], "unknown option '--onec'"],
  ])('%j', async (args, text) => {
    const { code, stderr } = await runMeshroot(['up', ...args], { cwd: base });
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(existsSync(join(base, '.meshroot'))).toBe(false);
  });
});

test('a Node that is too old gets a sentence, not a syntax error', () => {
  const preload = join(base, 'old.cjs');
  writeFileSync(preload, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
  const launcher = new URL('../../../bin/meshroot', import.meta.url).pathname;
  const { status, stderr } = spawnSync(process.execPath, ['-r', preload, launcher, 'up'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining('meshroot needs Node 20.19 or newer, this is 18.20.4'),
  ]);
});

describe.skipIf(!canSeeProcesses)('up leaves nothing', () => {
  test('after Ctrl-C: no process, and no folder when none was asked for', async () => {
    const cwd = mkdtempSync(join(base, 'ctrl-c-'));
    running = startMeshroot(['up', '--port-base', '0'], { cwd });
    await running.until(/Ctrl-C ends it/);
    expect(processesAround(cwd).length).toBeGreaterThan(5);
    const second = await runMeshroot(['up', '--once'], { cwd });
    expect([second.code, second.stderr]).toEqual([
      2,
      expect.stringContaining(`is in use by process ${running.child.pid}`),
    ]);
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(0);
    expect(processesAround(cwd)).toEqual([]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('after SIGKILL: no process', async () => {
    const dir = join(base, 'killed');
    running = startMeshroot(['up', '--dir', dir, '--port-base', '0']);
    await running.until(/istiods injected/);
    expect(processesAround(dir).length).toBeGreaterThan(5);
    running.child.kill('SIGKILL');
    await running.ended;
    await expect.poll(() => processesAround(dir), { timeout: 15_000, interval: 100 }).toEqual([]);
  });
});
