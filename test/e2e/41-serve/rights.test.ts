import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { helmTemplate } from '../../support/helm.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { startMeshroot } from '../../support/meshroot.ts';

let world: MeshWorld;
beforeAll(async () => {
  world = await startMeshWorld();
});
afterAll(() => world?.stop());

/** A kubeconfig of the controller's service account, as the chart makes it with these values. */
async function chartAccount(...sets: string[]): Promise<string> {
  const kubectl = new Kubectl(join(world.dir, 'eu.kubeconfig'), world.dir);
  await kubectl.ok(['create', 'namespace', 'mesh']);
  const values = ['-f', 'charts/meshroot/ci/serve-values.yaml', ...sets.flatMap((set) => ['--set', set])];
  await kubectl.ok(['apply', '-f', '-'], await helmTemplate('test', 'mesh', values));
  const token = (await kubectl.ok(['create', 'token', 'meshroot-serve', '-n', 'mesh'])).trim();
  const path = join(world.dir, 'serve.kubeconfig');
  writeFileSync(path, await kubectl.ok(['config', 'view', '--raw', '--flatten']), { mode: 0o600 });
  const own = new Kubectl(path, world.dir);
  await own.ok(['config', 'set-credentials', 'serve', `--token=${token}`]);
  await own.ok(['config', 'set-context', '--current', '--user=serve']);
  return path;
}

test('the rights of the chart are all that the controller needs, with an injector and an istiod to run too', async () => {
  const kubeconfig = await chartAccount(
    'serve.clusterRoles={vault-agent-injector-clusterrole,istiod-clusterrole}',
  );
  const file = join(world.dir, 'mesh.yaml');
  const parts = '    injector: {}\n    istiod: { deploy: {} }\n';
  writeFileSync(
    file,
    `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "${world.vaultAddress}" }\nroot: { keyType: ec-p256 }\nclusters:\n  - name: eu\n    kubeconfig: serve.kubeconfig\n${parts}`,
  );
  const tokenFile = join(world.dir, 'sink');
  writeFileSync(tokenFile, `${world.env.VAULT_TOKEN}\n`, { mode: 0o600 });
  const args = [
    'serve',
    '-f',
    file,
    '--listen',
    '127.0.0.1:0',
    '--leader-elect',
    '--lease-namespace',
    'mesh',
  ];
  const serve = startMeshroot(args, {
    cwd: world.dir,
    env: { KUBECONFIG: kubeconfig, VAULT_TOKEN_FILE: tokenFile },
  });
  try {
    const line = await serve.until(/brought back: group=eu [^\n]*/);
    expect(line).toContain('deployment istio-system/istiod');
    expect(line).toContain('mutatingwebhookconfiguration vault-agent-injector-cfg');
    expect(serve.output.stderr).not.toMatch(/forbidden|no right to Leases/);
  } finally {
    serve.child.kill('SIGTERM');
  }
  expect(await serve.ended).toBe(0);
  expect(await world.run('plan', '-f', file)).toMatchObject({ code: 0 });
});
