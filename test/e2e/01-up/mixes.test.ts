import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runMeshroot } from '../../support/meshroot.ts';

/** Names under which the real parts are looked for on PATH; what is not there is reported as skipped. */
const names = {
  vault: ['bao', 'vault'],
  agent: ['bao', 'vault'],
  istiod: ['pilot-discovery'],
  injector: ['vault-k8s'],
} as const;
type Part = keyof typeof names;

function onPath(part: Part): string | undefined {
  const folders = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '');
  return names[part].flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ours and the real one of injector, agent and store in every mix (all three ours: once.test.ts), and with a real istiod. */
const mixes: readonly (readonly Part[])[] = [
  ['vault'],
  ['agent'],
  ['agent', 'vault'],
  ['injector'],
  ['injector', 'vault'],
  ['injector', 'agent'],
  ['injector', 'agent', 'vault'],
  ['istiod'],
  ['vault', 'istiod', 'agent', 'injector'],
];

describe.each(mixes.map((parts) => [parts.join(' and '), parts] as const))('with the real %s', (_, parts) => {
  const found = parts.map((part) => [part, onPath(part)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([part]) => names[part].join(' or '));
  const reason = missing.length === 0 ? '' : ` (needs ${missing.join(', ')} on PATH)`;
  test.skipIf(missing.length > 0)(`every check is ok${reason}`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'up-mix-'));
    try {
      const real = found.flatMap(([part, path]) => ['--with', `${part}=${path}`]);
      const run = await runMeshroot(['up', '--once', '--json', '--dir', join(dir, 'd'), ...real]);
      const report = JSON.parse(run.stdout) as { checks: { ok: boolean }[] };
      expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.checks).toHaveLength(11);
      expect(run.code).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
