import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';

describe('an apply of which one cluster fails', () => {
  let world: MeshWorld;
  beforeAll(async () => {
    world = await startMeshWorld();
  });
  afterAll(() => world?.stop());

  /** A mesh whose cluster eu has an API server that Vault does not reach. */
  const meshFile = (more = ''): string => {
    const file = world.meshFile('mesh.yaml', { top: 'root: { keyType: ec-p256 }\n' });
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace('- name: eu\n', `- name: eu\n    kubernetesHost: https://127.0.0.1:9\n${more}`),
    );
    return file;
  };

  test('writes nothing of it that vault does not reach, told to keep going, and proves the other', async () => {
    const refused = await world.run('apply', '-f', meshFile(), '--yes');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('eu: vault tried https://127.0.0.1:9'),
    });
    expect(Object.keys((await world.vault.read('sys/auth'))?.data ?? {})).not.toContain('kubernetes-us/');
    const { code, stdout } = await world.run('apply', '-f', meshFile(), '--yes', '--keep-going', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      skipped: [{ cluster: 'eu', why: expect.stringContaining('vault tried https://127.0.0.1:9') }],
      proofs: [{ cluster: 'us' }],
      failed: [],
    });
    expect(Object.keys((await world.vault.read('sys/auth'))?.data ?? {})).not.toContain('kubernetes-eu/');
  });

  test('tells its failure with the proof of the other, as text and as JSON', async () => {
    const file = meshFile('    probeKubernetes: false\n');
    const text = await world.run('apply', '-f', file, '--yes', '--vault-rate', '500', '--concurrency', '2');
    expect(text).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/proof us +istio-system\/istiod logged in/),
      stderr: expect.stringMatching(/eu: a login of istio-system\/istiod .* did not work/),
    });
    const { code, stdout } = await world.run('apply', '-f', file, '--yes', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      proofs: [{ cluster: 'us' }],
      failed: [{ cluster: 'eu', code: 'proof-failed', message: expect.stringContaining('eu: a login of') }],
      error: { code: 'proof-failed' },
    });
  });
});
