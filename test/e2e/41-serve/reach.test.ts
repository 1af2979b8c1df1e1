import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { startMeshroot } from '../../support/meshroot.ts';

let world: MeshWorld;
beforeAll(async () => {
  world = await startMeshWorld();
});
afterAll(() => world?.stop());

test('a cluster that vault does not reach is told before anything of it is written; the other one is done', async () => {
  const file = world.meshFile('mesh.yaml', { top: 'root: { keyType: ec-p256 }\n' });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('- name: eu\n', '- name: eu\n    kubernetesHost: https://127.0.0.1:9\n'));
  const serve = startMeshroot(['serve', '-f', file, '--listen', '127.0.0.1:0'], {
    cwd: world.dir,
    env: world.env,
  });
  try {
    const [line] = await Promise.all([
      serve.until(/failed, will be tried again: group=eu [^\n]*/),
      serve.until(/brought back: group=us [^\n]*/),
    ]);
    expect(line).toMatch(/code=kubernetes-not-reached .*set kubernetesHost in mesh\.yaml/);
  } finally {
    serve.child.kill('SIGTERM');
  }
  expect(await serve.ended).toBe(0);
  const tables = [await world.vault.read('sys/mounts'), await world.vault.read('sys/auth')];
  expect(
    tables.flatMap((table) => Object.keys(table?.data ?? {})).filter((path) => /eu|probe/.test(path)),
  ).toEqual([]);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'istio-system' };
  expect(await world.kubes.get('eu')?.get(namespace)).toBeUndefined();
});
