import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { mountNamespace, serviceAccountMount, withServiceAccount } from './in-cluster-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'sa-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const namespace = await mountNamespace().catch(() => undefined);

/** Runs `script` where `folder` is the service account; resolves with its output and exit code. */
async function run(script: string): Promise<{ out: string; code: number | null }> {
  const [file = '', ...args] = withServiceAccount(namespace ?? [], folder, ['/bin/sh', '-c', script]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { out: await text(child.stdout), code: await ended };
}

test.skipIf(namespace === undefined)(
  'a program sees its service account at the fixed path, and nothing of it is left on the machine',
  async () => {
    const before = existsSync(serviceAccountMount);
    writeFileSync(join(folder, 'token'), 'old');
    const refresh = `printf new >${folder}/token.new && mv ${folder}/token.new ${folder}/token`;
    const read = `cat ${serviceAccountMount}/token`;
    const result = await run(`${read}; ${refresh}; ${read}; exit 7`);
    expect(result).toEqual({ out: 'oldnew', code: 7 });
    expect(existsSync(serviceAccountMount)).toBe(before);
  },
);

test.skipIf(namespace === undefined)('everything else below /run is still there', async () => {
  const { out } = await run('ls -A /run/');
  const hidden = ['secrets', 'mount'];
  const kept = readdirSync('/run', { withFileTypes: true }).filter(
    (entry) =>
      !hidden.includes(entry.name) && (entry.isDirectory() || entry.isFile() || entry.isSymbolicLink()),
  );
  expect(out.split('\n')).toEqual(expect.arrayContaining(kept.map(({ name }) => name)));
});
