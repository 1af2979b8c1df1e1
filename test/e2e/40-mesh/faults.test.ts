import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { flappingProxy } from '../../support/flapping-proxy.ts';
import { holdingProxy } from '../../support/holding-proxy.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

interface Fault {
  readonly title: string;
  /** Changes mesh.yaml. */
  readonly file?: (text: string) => string;
  /** Brings the fault about; returns how to take it back. */
  readonly arrange?: (world: MeshWorld) => Promise<(() => Promise<unknown>) | undefined>;
  readonly cause: RegExp;
  readonly fix: RegExp;
}

const put = (world: MeshWorld, path: string, data: object) => async () =>
  world.vault.write(path, data as Record<string, unknown>);
const drop = (world: MeshWorld, path: string) => () => world.vault.delete(path);

/** The same kubeconfig with a token as its only credential. */
function withToken(kubeconfig: string, token: string): string {
  const config = parse(kubeconfig) as { users: { user: unknown }[] };
  for (const entry of config.users) entry.user = { token };
  return stringify(config);
}

const faults: readonly Fault[] = [
  {
    title: 'a context that the kubeconfig does not have',
    file: (text) =>
      text.replace('kubeconfig: us.kubeconfig', 'kubeconfig: us.kubeconfig\n    context: prod-us'),
    cause: /us: .* cannot be looked at: .*"?prod-us"?/,
    fix: /known: us/,
  },
  {
    title: 'a kubeconfig whose credentials ended',
    arrange: async (world) => {
      const path = join(world.dir, 'us.kubeconfig');
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, withToken(text, 'ended'));
      return async () => writeFileSync(path, text, { mode: 0o600 });
    },
    cause: /us: .* cannot be looked at: /,
    fix: /kubectl auth whoami/,
  },
  {
    title: 'no permission for one kind of object',
    arrange: async (world) => {
      const path = join(world.dir, 'us.kubeconfig');
      const text = readFileSync(path, 'utf8');
      const kube = world.kubes.get('us');
      const name = 'half';
      const namespace = 'default';
      const rules = [{ apiGroups: [''], resources: ['namespaces', 'serviceaccounts'], verbs: ['*'] }];
      const rbac = 'rbac.authorization.k8s.io';
      await kube?.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
      await kube?.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules });
      await kube?.create({
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      });
      const issued = await kube?.tokenRequest(namespace, name, { expirationSeconds: 600 });
      writeFileSync(path, withToken(text, issued?.token.reveal() ?? ''));
      return async () => writeFileSync(path, text, { mode: 0o600 });
    },
    cause: /clusterrolebinding role-tokenreview-binding cannot be looked at: .*forbidden/,
    fix: /kubectl auth can-i --list/,
  },
  {
    title: 'a sealed vault',
    arrange: async (world) => {
      await world.vault.write('sys/seal');
      const key = readFileSync(join(world.dir, 'state', 'unseal-key'), 'utf8').trim();
      return put(world, 'sys/unseal', { key });
    },
    cause: /vault answered 503 .*sealed/i,
    fix: /vault operator unseal/,
  },
  {
    title: 'a secrets mount of another type',
    arrange: async (world) => {
      await put(world, 'sys/mounts/kubernetes-us-secrets', { type: 'transit' })();
      return drop(world, 'sys/mounts/kubernetes-us-secrets');
    },
    cause: /kubernetes-us-secrets\/ is transit, not kv version 1/,
    fix: /vault secrets move/,
  },
  {
    title: 'a login mount of another type',
    arrange: async (world) => {
      await put(world, 'sys/auth/kubernetes-us', { type: 'approle' })();
      return drop(world, 'sys/auth/kubernetes-us');
    },
    cause: /auth\/kubernetes-us\/ is approle, not kubernetes/,
    fix: /names\.authMount/,
  },
  {
    title: 'a policy of that name by another hand',
    arrange: async (world) => {
      const path = 'sys/policies/acl/istiod-certs-us';
      await put(world, path, { policy: 'path "*" {\n  capabilities = ["read"]\n}\n' })();
      return drop(world, path);
    },
    cause: /policy istiod-certs-us exists and was not made by meshroot[\s\S]*- path "\*"/,
    fix: /meshroot apply --adopt/,
  },
  {
    title: 'a name that is too long',
    file: (text) => text.replace('name: us', `name: ${'u'.repeat(64)}`),
    cause: /mesh\.yaml:\d+:\d+ {2}clusters\[1\]\.name must be .* at most 63/,
    fix: /nothing was changed/,
  },
  {
    title: 'a role whose name is too long for a policy of vault',
    file: (text) => text.replace('name: us\n', `name: us\n    names: { policy: ${'p'.repeat(600)} }\n`),
    cause: /clusters\[1\]\.names\.policy must be .* at most 256/,
    fix: /nothing was changed/,
  },
  {
    title: 'two clusters of one name',
    file: (text) => text.replace('name: us', 'name: eu'),
    cause: /clusters\[1\]\.name is taken by an earlier cluster/,
    fix: /nothing was changed/,
  },
];

describe('what is wrong before an apply', () => {
  let world: MeshWorld;
  let plain: string;
  const apply = (...args: string[]) =>
    runHere(['apply', '--yes', '-f', join(world.dir, 'mesh.yaml'), ...args], world.env);
  const tables = async () =>
    JSON.stringify([
      Object.keys((await world.vault.read('sys/mounts'))?.data ?? {}),
      Object.keys((await world.vault.read('sys/auth'))?.data ?? {}),
      await world.vault.list('sys/policies/acl'),
    ]);

  beforeAll(async () => {
    world = await startMeshWorld();
    plain = readFileSync(world.meshFile('mesh.yaml'), 'utf8');
  });
  afterAll(() => world?.stop());

  test.each(faults)('$title: cause and fix before the first write', async ({ file, arrange, cause, fix }) => {
    const mend = await arrange?.(world);
    writeFileSync(join(world.dir, 'mesh.yaml'), file?.(plain) ?? plain);
    const before = mend === undefined ? await tables() : undefined;
    const { code, stderr } = await apply();
    await mend?.();
    writeFileSync(join(world.dir, 'mesh.yaml'), plain);
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(cause)]);
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringMatching(fix)]);
    expect(code).not.toBe(0);
    if (before !== undefined) expect(await tables()).toBe(before);
    expect(await tables()).not.toMatch(/meshroot|kubernetes-eu/);
  });

  test('with --keep-going the cluster that cannot be is left out and named, the other is done', async () => {
    await world.vault.write('sys/auth/kubernetes-us', { type: 'approle' });
    const { code, stderr, stdout } = await apply('--keep-going');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/us +left out: auth\/kubernetes-us\/ is approle/),
    ]);
    expect(stdout).toMatch(/proof eu/);
    expect(await tables()).not.toContain('kubernetes-us-secrets');
    await world.vault.delete('sys/auth/kubernetes-us');
    expect((await apply()).code).toBe(0);
  });

  test('a trust domain is not changed under a living mesh, unless its old name stays an alias', async () => {
    const file = join(world.dir, 'mesh.yaml');
    writeFileSync(file, plain.replace('kind: Mesh', 'kind: Mesh\ntrustDomain: new.example'));
    expect(await apply()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /eu is live in trust domain cluster\.local, mesh\.yaml says new\.example\n? +keep the old name valid with trustDomainAliases: \[cluster\.local\]/,
      ),
    });
    writeFileSync(
      file,
      plain.replace(
        'kind: Mesh',
        'kind: Mesh\ntrustDomain: new.example\ntrustDomainAliases: [cluster.local]',
      ),
    );
    expect((await apply()).code).toBe(0);
    writeFileSync(file, plain.replace('kind: Mesh', 'kind: Mesh\ntrustDomainAliases: [new.example]'));
    expect((await apply()).code).toBe(0);
    writeFileSync(file, plain);
  });

  test('an API server that drops every second connection does not keep an apply from its end', async () => {
    expect((await runHere(['destroy', '--yes', '-f', join(world.dir, 'mesh.yaml')], world.env)).code).toBe(0);
    const proxy = await flappingProxy(world.kubes.get('us')?.server ?? '', 2);
    const path = join(world.dir, 'us.kubeconfig');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/server: \S+/, `server: https://127.0.0.1:${proxy.port}`));
    const { code, stderr } = await apply();
    writeFileSync(path, text);
    proxy.close();
    expect([code, stderr.slice(-300)]).toEqual([0, expect.anything()]);
    expect(proxy.cuts()).toBeGreaterThan(0);
  });

  test('of two applies at once one is told of the other, and both leave one root', async () => {
    expect((await runHere(['destroy', '--yes', '-f', join(world.dir, 'mesh.yaml')], world.env)).code).toBe(0);
    const proxy = await holdingProxy(world.vaultAddress, /\/sys\/mounts\/kubernetes-/);
    try {
      const held = world.meshFile('held.yaml', { vault: proxy.address });
      const first = runHere(['apply', '--yes', '-f', held], world.env);
      await proxy.arrived;
      expect(await apply()).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/is at work on this mesh\n? +wait for it/),
      });
      expect(
        await runHere(['destroy', '--yes', '-f', join(world.dir, 'mesh.yaml')], world.env),
      ).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('is at work on this mesh'),
      });
      proxy.release();
      expect(await first).toMatchObject({ code: 0 });
    } finally {
      await proxy.close();
    }
    expect((await apply()).code).toBe(0);
    expect(await world.vault.list('meshroot-root/issuers')).toHaveLength(1);
  });
});
