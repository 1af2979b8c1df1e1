import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VaultClient } from '../../../src/client/vault-client.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

describe.each([1, 2])('the policies of a mesh with kv version %i', (kv) => {
  let world: MeshWorld;
  const as = (token: string, ...args: string[]) =>
    runHere([...args, '-f', join(world.dir, 'mesh.yaml')], { VAULT_TOKEN: token });
  const bundle = (cluster: string) =>
    `kubernetes-${cluster}-secrets/${kv === 2 ? 'data/' : ''}istiod-service/certs`;

  /** A token that has the printed policy of the role, and what every token has. */
  async function tokenOf(role: string, ...args: string[]): Promise<string> {
    const printed = await as('', 'policy', 'print', role, ...args);
    expect(printed.code).toBe(0);
    await world.vault.write(`sys/policies/acl/${role}`, { policy: printed.stdout });
    const made = await world.vault.write('auth/token/create', { policies: [role] });
    return made?.auth?.client_token ?? '';
  }
  const client = (token: string): VaultClient => world.vault.withToken(new Secret(token));

  beforeAll(async () => {
    world = await startMeshWorld();
    const top = kv === 2 ? 'root: { mount: pki/mesh/root }\n' : '';
    world.meshFile('mesh.yaml', { top, more: `    kv: ${kv}\n` });
  });
  afterAll(() => world?.stop());

  test('an operator can do all that apply does', async () => {
    const { code, stderr, stdout } = await as(await tokenOf('operator'), 'apply', '--yes');
    expect([code, stderr, stdout]).toEqual([0, expect.anything(), expect.stringContaining('proof us')]);
  });

  test('an auditor sees a whole plan, leaves no denial behind, and can read no key', async () => {
    const auditor = await tokenOf('auditor');
    const denials = () =>
      readFileSync(join(world.dir, 'state', 'audit.log'), 'utf8').split('permission denied');
    const before = denials().length;
    expect(await as(auditor, 'plan')).toMatchObject({
      code: 0,
      stdout: 'nothing to change. nothing was written\n',
    });
    expect(denials()).toHaveLength(before);
    for (const entry of [bundle('eu'), `${bundle('eu')}-next/key`]) {
      await expect(client(auditor).read(entry)).rejects.toMatchObject({ status: 403 });
    }
    await expect(client(auditor).write(`${bundle('eu')}-public`, {})).rejects.toMatchObject({ status: 403 });
  });

  test('status shows an auditor the whole tree', async () => {
    const { code, stdout } = await as(await tokenOf('auditor'), 'status');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^Root CA .*\n├─ eu .*\n[\s\S]*└─ us .*[\s\S]*2 clusters\n$/),
    ]);
    expect(await as(await tokenOf('auditor'), 'status', '--within', '100d', '--json')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"ok":false'),
    });
  });

  test('a writer updates the bundle of its cluster, and neither reads it nor touches others or policies', async () => {
    const stored = (await world.vault.read(bundle('us')))?.data ?? {};
    const writer = client(await tokenOf('writer', '--cluster', 'us'));
    await writer.write(bundle('us'), kv === 2 ? { data: stored.data } : stored);
    for (const path of [bundle('us'), bundle('eu'), 'sys/policies/acl/writer', 'sys/mounts']) {
      await expect(writer.read(path)).rejects.toMatchObject({ status: 403 });
    }
    for (const path of [bundle('eu'), 'sys/policies/acl/writer', 'auth/kubernetes-us/role/istiod']) {
      await expect(writer.write(path, { policy: '', data: {} })).rejects.toMatchObject({ status: 403 });
    }
  });

  test('a plan that cannot see all and finds nothing else says so by exit code 2', async () => {
    const made = await world.vault.write('auth/token/create', { policies: ['reader'] });
    const blind = await as(made?.auth?.client_token ?? '', 'plan');
    expect([blind.code, blind.stdout]).toEqual([
      2,
      expect.stringMatching(
        /\? role istiod +permission denied[\s\S]*nothing to change in what could be seen/,
      ),
    ]);
  });

  test.runIf(kv === 1)(
    'who is taken out of the file can log in no more; what others made in the same mount stays',
    async () => {
      const role = 'auth/kubernetes-eu/role/portal';
      const policy = 'sys/policies/acl/istiod-certs-eu-portal';
      const access = 'access: [{ name: portal, namespace: portal, serviceAccount: portal, can: write }]';
      const operator = await tokenOf('operator');
      world.meshFile('mesh.yaml', { more: `    kv: ${kv}\n    ${access}\n` });
      expect((await as(operator, 'apply', '--yes')).code).toBe(0);
      const theirs = { bound_service_account_names: ['x'], bound_service_account_namespaces: ['x'] };
      await world.vault.write('auth/kubernetes-eu/role/theirs', { ...theirs, token_policies: ['theirs'] });

      world.meshFile('mesh.yaml', { more: `    kv: ${kv}\n` });
      const plan = await as(await tokenOf('auditor'), 'plan');
      expect([plan.code, plan.stdout]).toEqual([
        1,
        expect.stringMatching(
          / {2}- former roles of auth\/kubernetes-eu .*\n {6}- role portal with its policy istiod-certs-eu-portal\n[\s\S]*0 to add, 0 to change, 2 to remove\./,
        ),
      ]);
      expect(await world.vault.read(role)).toBeDefined();
      expect((await as(operator, 'apply', '--yes')).code).toBe(0);
      expect([await world.vault.read(role), await world.vault.read(policy)]).toEqual([undefined, undefined]);
      expect(await world.vault.read('auth/kubernetes-eu/role/theirs')).toBeDefined();
      expect(await as(operator, 'plan')).toMatchObject({ code: 0 });
      await world.vault.delete('auth/kubernetes-eu/role/theirs');
    },
  );

  test.runIf(kv === 2)('an auditor is told when a bundle was written since its record was', async () => {
    const plan = await as(await tokenOf('auditor'), 'plan');
    expect([plan.code, plan.stdout]).toEqual([
      2,
      expect.stringContaining('was written since its public record was'),
    ]);
    expect((await as(world.env.VAULT_TOKEN ?? '', 'apply', '--yes')).code).toBe(0);
    expect(await as(await tokenOf('auditor'), 'plan')).toMatchObject({ code: 0 });
  });
});
