import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

describe('logins', () => {
  let world: MeshWorld;
  beforeAll(async () => {
    world = await startMeshWorld();
  });
  afterAll(() => world?.stop());

  const run = (command: string, file: string) =>
    runHere([command, '-f', file, ...(command === 'plan' ? [] : ['--yes'])], world.env);
  const jwtOf = async (namespace: string, account: string, audience = 'https://kubernetes.default.svc') => {
    const issued = await world.kubes
      .get('eu')
      ?.tokenRequest(namespace, account, { audiences: [audience], expirationSeconds: 600 });
    return issued?.token.reveal() ?? '';
  };
  const login = async (role: string, jwt: string) =>
    (await world.vault.request('PUT', 'auth/kubernetes-eu/login', { role, jwt })).status;

  test('an API server that vault does not reach is told, with its address, before anything is written', async () => {
    const file = world.meshFile('far.yaml', { more: '    kubernetesHost: https://127.0.0.1:9\n' });
    const { code, stderr } = await run('apply', file);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/eu: vault tried https:\/\/127\.0\.0\.1:9\/version[\s\S]*us: vault tried/),
    ]);
    const one = readFileSync(file, 'utf8').replace(/ {2}- name: us[\s\S]*/, '');
    writeFileSync(file, one);
    expect((await run('apply', file)).stderr).toMatch(/set kubernetesHost in mesh\.yaml/);
    const mounts = JSON.stringify([
      (await world.vault.read('sys/mounts'))?.data,
      (await world.vault.read('sys/auth'))?.data,
    ]);
    expect(mounts).not.toMatch(/meshroot-root|meshroot-probe|kubernetes-/);
    expect(await world.vault.list('sys/policies/acl')).not.toContain('istiod-certs-eu');
    expect(
      await world.kubes.get('eu')?.get({ apiVersion: 'v1', kind: 'Namespace', name: 'istio-system' }),
    ).toBe(undefined);
  });

  test('probeKubernetes: false leaves the question out', async () => {
    const more = '    kubernetesHost: https://127.0.0.1:9\n    probeKubernetes: false\n';
    const { code, stderr } = await run('apply', world.meshFile('unasked.yaml', { more }));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/a login of istio-system\/istiod .* did not work/),
    ]);
    expect((await run('destroy', world.meshFile('unasked.yaml', { more }))).code).toBe(0);
  });

  test('jwks: vault checks tokens by the public keys of the cluster, bound to audience, namespaces and account', async () => {
    const more = `    reviewer: jwks
    kubernetesHost: https://127.0.0.1:9
    access:
      - { name: portal, namespace: [portal, shop], serviceAccount: portal, can: write }
`;
    const file = world.meshFile('jwks.yaml', { more });
    const applied = await run('apply', file);
    expect([applied.code, applied.stderr, applied.stdout]).toEqual([
      0,
      expect.not.stringContaining('role-tokenreview-binding'),
      expect.stringContaining('proof us'),
    ]);
    expect((await run('plan', file)).stdout).toContain('nothing to change');
    const kube = world.kubes.get('eu');
    for (const namespace of ['portal', 'shop', 'other']) {
      await kube?.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await kube?.create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'portal', namespace },
      });
    }
    expect(await login('portal', await jwtOf('portal', 'portal'))).toBe(200);
    expect(await login('portal', await jwtOf('shop', 'portal'))).toBe(200);
    expect(await login('portal', await jwtOf('other', 'portal'))).not.toBe(200);
    expect(await login('istiod', await jwtOf('istio-system', 'istiod', 'vault'))).not.toBe(200);
    await world.vault.write('auth/kubernetes-eu/config', {
      jwt_validation_pubkeys: [
        (await world.vault.read('auth/kubernetes-us/config'))?.data?.jwt_validation_pubkeys,
      ].flat(),
    });
    expect((await run('plan', file)).stdout).toContain('~ public keys of the cluster');
    expect((await run('destroy', file)).code).toBe(0);
  });

  test('with a client token, every role is bound to its audience, and may name several namespaces', async () => {
    const more = `    access:
      - { name: portal, namespace: [portal, shop], serviceAccount: portal, can: write }
`;
    const file = world.meshFile('client.yaml', { more });
    expect((await run('apply', file)).code).toBe(0);
    expect((await world.vault.read('auth/kubernetes-eu/role/portal'))?.data).toMatchObject({
      audience: 'https://kubernetes.default.svc',
      bound_service_account_namespaces: ['portal', 'shop'],
    });
    expect(await login('istiod', await jwtOf('istio-system', 'istiod'))).toBe(200);
    expect(await login('istiod', await jwtOf('istio-system', 'istiod', 'vault'))).toBe(403);
    expect((await run('plan', file)).code).toBe(0);
    expect((await run('destroy', file)).code).toBe(0);
  });

  test('in a login mount of others, destroy takes the roles of meshroot and names what stays', async () => {
    const mount = 'sys/auth/kubernetes-eu';
    await world.vault.write(mount, { type: 'kubernetes' });
    await world.vault.write(`${mount}/tune`, { audit_non_hmac_request_keys: ['role'] });
    const kube = world.kubes.get('eu');
    await world.vault.write('auth/kubernetes-eu/config', {
      kubernetes_host: kube?.server,
      kubernetes_ca_cert: await kube?.authority(),
      disable_local_ca_jwt: true,
    });
    const theirs = {
      bound_service_account_names: 'x',
      bound_service_account_namespaces: 'x',
      audience: 'y',
      token_policies: 'z',
    };
    await world.vault.write('auth/kubernetes-eu/role/theirs', theirs);
    const file = join(world.dir, 'guest.yaml');
    writeFileSync(
      file,
      readFileSync(world.meshFile('guest.yaml'), 'utf8').replace(/ {2}- name: us[\s\S]*/, ''),
    );
    expect((await run('apply', file)).code).toBe(0);
    expect((await run('plan', file)).code).toBe(0);
    const { code, stderr } = await run('destroy', file);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/- eu +role istiod/)]);
    expect(stderr).toMatch(/eu +config of auth\/kubernetes-eu +stays: not made by meshroot/);
    expect(await world.vault.list('auth/kubernetes-eu/role')).toEqual(['theirs']);
    expect((await world.vault.read('auth/kubernetes-eu/config'))?.data?.kubernetes_host).toBe(kube?.server);
  });
});
