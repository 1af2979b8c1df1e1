import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFiles } from '../../../src/istio/bundle.ts';
import { readBundleFiles } from '../../../src/istio/bundle-files.ts';
import { createRootFiles } from '../../../src/istio/pki-files.ts';
import { writeBundle } from '../../../src/rotation/kv-bundle.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';
import { meshWithCacerts } from '../../support/running-mesh.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', name: 'cacerts', namespace: 'istio-system' };

describe('a CA that is taken along into KV version 2', () => {
  let world: MeshWorld;
  const made = (...path: string[]) => join(world.dir, 'made', ...path);
  const apply = (file: string) => runHere(['apply', '-f', file, '--yes'], world.env);
  const plan = (file: string) => runHere(['plan', '-f', file], world.env);
  const mesh = (source: string, root = 'made/root-cert.pem') =>
    world.meshFile('mesh.yaml', {
      top: `root: { offline: { cert: ${root} } }\n`,
      more: `    kv: 2\n    intermediate: { import: { ${source} } }\n`,
    });
  const entry = (name: string) => world.vault.read(`kubernetes-${name}-secrets/data/istiod-service/certs`);

  beforeAll(async () => {
    world = await startMeshWorld();
    await meshWithCacerts(world);
  });
  afterAll(() => world?.stop());

  const refusals: [string, string, string, string?][] = [
    ['that is not there', 'secret: istio-system/cacert', 'Secret istio-system/cacert is not there'],
    ['of another root', 'secret: istio-system/cacerts', 'hangs from another root', 'other/root-cert.pem'],
    ['in an empty folder', 'folder: other', 'ca-key.pem is missing'],
  ];
  test.each(refusals)('one %s is refused before the first write', async (_, source, why, root) => {
    const other = {
      folder: join(world.dir, 'other'),
      keyType: 'ec-p256',
      ttl: undefined,
      now: Date.now(),
    } as const;
    await createRootFiles(other).catch(() => {}); // there from the test before
    const { code, stdout, stderr } = await apply(mesh(source, root));
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(Object.keys((await world.vault.read('sys/mounts'))?.data ?? {})).not.toContain(
      'kubernetes-eu-secrets/',
    );
  });

  test('a key of another issue is refused, and the message holds no part of it', async () => {
    cpSync(made('eu'), made('mixed'), { recursive: true });
    cpSync(made('us', bundleFiles.caKey), made('mixed', bundleFiles.caKey));
    const { code, stdout, stderr } = await apply(mesh('folder: made/mixed'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('ca-key.pem is not the key of')]);
    const line = readFileSync(made('us', bundleFiles.caKey), 'utf8').split('\n')[1] ?? '';
    expect(stdout + stderr).not.toContain(line);
  });

  test('from the Secret it becomes version 1 of the entry, and nothing writes over it', async () => {
    const file = mesh('secret: istio-system/cacerts');
    const { code, stderr } = await apply(file);
    expect([code, stderr]).toEqual([0, expect.anything()]);
    const { data } = (await entry('us'))?.data ?? {};
    expect(data).toMatchObject({ ca_key: readFileSync(made('us', bundleFiles.caKey), 'utf8') });
    const kube = world.kubes.get('us')!;
    const found = await kube.get(secret);
    const eu = Object.values(bundleFiles).map((name) => [
      name,
      readFileSync(made('eu', name)).toString('base64'),
    ]);
    await kube.replace({ ...found!, data: Object.fromEntries(eu) });
    expect(await apply(file)).toMatchObject({ code: 0, stdout: expect.stringContaining('0 written') });
    expect((await entry('us'))?.data).toMatchObject({ data, metadata: { version: 1 } });
  });

  test('a writer who thought that there was none yet is refused by the check-and-set of Vault', async () => {
    const { bundle } = await readBundleFiles(made('eu'));
    const path = 'kubernetes-us-secrets/data/istiod-service/certs';
    await expect(writeBundle(world.vault, path, bundle, 2, 0)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('check-and-set parameter did not match the current version'),
    });
    expect((await entry('us'))?.data).toMatchObject({ metadata: { version: 1 } });
  });

  test('when the Secret is gone the plan is empty without a word', async () => {
    for (const kube of world.kubes.values()) await kube.delete(secret);
    expect(await plan(mesh('secret: istio-system/cacerts'))).toMatchObject({
      code: 0,
      stdout: 'nothing to change. nothing was written\n',
    });
  });
});
