import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realParts } from '../support/mesh-world.ts';
import { runMeshroot } from '../support/meshroot.ts';

const parts = realParts();
if ('missing' in parts)
  test.skip(`up on real API servers: not on PATH: ${parts.missing.join(', ')}`, () => {});
else {
  test('up passes every check on real API servers with etcd, a controller manager and a real vault', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'up-real-'));
    const { apiserver, etcd, bao } = parts;
    const real = [
      '--with',
      `kube-apiserver=${apiserver}`,
      '--with',
      `etcd=${etcd}`,
      '--with',
      `vault=${bao}`,
    ];
    const run = await runMeshroot(['up', '--once', '--json', '--dir', join(dir, 'd'), ...real]);
    const { checks } = JSON.parse(run.stdout) as { checks: { name: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks).toHaveLength(11);
    rmSync(dir, { recursive: true, force: true });
  });
}
