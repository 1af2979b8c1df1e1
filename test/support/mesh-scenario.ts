import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handMadeMesh } from './hand-made-mesh.ts';
import { killingProxy } from './killing-proxy.ts';
import { type MeshWorld, type RealParts, startMeshWorld } from './mesh-world.ts';
import { startMeshroot } from './meshroot.ts';

const istioSystem = { apiVersion: 'v1', kind: 'Namespace', name: 'istio-system' };
const accounts = { apiVersion: 'v1', kind: 'ServiceAccount' };
const bindings = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' };

/** Everything that could be left behind: mounts, logins, policies, service accounts and bindings of both clusters. */
async function traces({ vault, kubes }: MeshWorld): Promise<string[]> {
  const tables = await Promise.all(
    ['sys/mounts', 'sys/auth'].map(async (t) =>
      Object.keys((await vault.read(t))?.data ?? {}).map((k) => `${t} ${k}`),
    ),
  );
  const policies = (await vault.list('sys/policies/acl')).map((name) => `policy ${name}`);
  const objects = await Promise.all(
    [...kubes].map(async ([name, kube]) =>
      [...(await kube.list(accounts)), ...(await kube.list(bindings))]
        .filter(({ metadata }) => metadata.name === 'istiod' || metadata.name.startsWith('role-'))
        .map(({ kind, metadata }) => `${name} ${kind} ${metadata.name}`),
    ),
  );
  return [...tables.flat(), ...policies, ...objects.flat()].sort();
}

/** Waits until Kubernetes has let go of the namespace, which takes it a moment. */
export const gone = async (world: MeshWorld) => {
  for (const kube of world.kubes.values()) {
    const end = Date.now() + 20_000;
    while ((await kube.get(istioSystem)) !== undefined && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
};

/** One life of a mesh, by the real program, on our parts or the real ones. */
export function meshScenario(title: string, real?: RealParts): void {
  describe(title, () => {
    let world: MeshWorld;
    let before: string[];
    beforeAll(async () => {
      world = await startMeshWorld(real);
      before = await traces(world);
    });
    afterAll(() => world?.stop());

    test('plan shows what is to come and writes nothing', async () => {
      world.meshFile('mesh.yaml');
      const { code, stdout } = await world.run('plan');
      expect([code, stdout]).toEqual([1, expect.stringContaining('+ role istiod')]);
      expect(await traces(world)).toEqual(before);
    });

    test('apply onboards both clusters and ends with a proof for each; the next plan is empty', async () => {
      const { code, stdout, stderr } = await world.run('apply', '--yes');
      expect([code, stderr]).toEqual([0, expect.stringContaining('+ secrets kubernetes-eu-secrets')]);
      for (const name of ['eu', 'us']) {
        expect(stdout).toMatch(
          new RegExp(
            `proof ${name} +istio-system/istiod logged in as istiod, read its bundle, which is sound for`,
          ),
        );
      }
      expect(await world.run('plan')).toMatchObject({
        code: 0,
        stdout: 'nothing to change. nothing was written\n',
      });
    });

    test("a token of istiod's service account reads its own bundle and is refused the other's", async () => {
      const kube = world.kubes.get('eu')!;
      const { token } = await kube.tokenRequest('istio-system', 'istiod', { expirationSeconds: 600 });
      const anonymous = world.vault;
      const { status, body } = await anonymous.request('PUT', 'auth/kubernetes-eu/login', {
        role: 'istiod',
        jwt: token.reveal(),
      });
      expect(status).toBe(200);
      const { client_token } = (body as { auth: { client_token: string } }).auth;
      const as = { 'X-Vault-Token': client_token };
      const read = (name: string) =>
        anonymous.request('GET', `kubernetes-${name}-secrets/istiod-service/certs`, undefined, as);
      expect((await read('eu')).status).toBe(200);
      expect((await read('us')).status).toBe(403);
    });

    test('a policy edited by hand is refused, shown, and taken over only with --adopt', async () => {
      const path = 'sys/policies/acl/istiod-certs-eu';
      await world.vault.write(path, {
        policy: 'path "kubernetes-eu-secrets/*" {\n  capabilities = ["read"]\n}\n',
      });
      const refused = await world.run('apply', '--yes');
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('policy istiod-certs-eu exists and was not made by meshroot'),
      });
      expect((await world.vault.read(path))?.data?.policy).toContain('secrets/*');
      expect((await world.run('apply', '--yes', '--adopt')).code).toBe(0);
      expect((await world.vault.read(path))?.data?.policy).not.toContain('secrets/*');
      await world.vault.delete(path); // adopted things are not meshroot's: make it ours again for the next test
      expect((await world.run('apply', '--yes')).code).toBe(0);
    });

    test('destroy leaves what others put there, and names it', async () => {
      const kube = world.kubes.get('eu')!;
      const guest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'mine', namespace: 'istio-system' },
      };
      await kube.create(guest);
      const { code, stderr } = await world.run('destroy', '--yes');
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining('stays eu namespace istio-system: others have things in it: ConfigMap mine'),
      ]);
      expect(await kube.get({ ...guest, name: 'mine', namespace: 'istio-system' })).toBeDefined();
      await kube.delete({ ...guest, name: 'mine', namespace: 'istio-system' });
    });

    test('destroy leaves no trace, and may be run again', async () => {
      expect(await world.run('destroy', '--yes')).toMatchObject({ code: 0 });
      await gone(world);
      expect(await traces(world)).toEqual(before);
      expect(await world.run('destroy', '--yes')).toMatchObject({
        code: 0,
        stdout: '0 taken away, 0 of others left as they are\n',
      });
    });

    test('apply killed at every write, and started again each time, ends as if it had never been', async () => {
      const proxy = await killingProxy(world.vaultAddress);
      const file = world.meshFile('killed.yaml', { vault: proxy.address });
      let kills = 0;
      let nth = 1;
      let left = '';
      try {
        for (; ; kills++) {
          const run = startMeshroot(['apply', '-f', file, '--yes'], { cwd: world.dir, env: world.env });
          proxy.aim(run.child, nth);
          run.child.stdout?.once('data', (line: string) => {
            if (!line.includes('proof')) run.child.kill('SIGKILL');
          });
          const code = await run.ended;
          if (code === 0) break;
          expect([code, run.output.stderr]).toEqual(['SIGKILL', expect.anything()]);
          expect(kills).toBeLessThan(60);
          const now = /\d+ to add/.exec(run.output.stderr)?.[0] ?? left;
          nth = now === left ? nth + 1 : 1; // what takes two writes (signed, then stored) is killed at either
          left = now;
        }
      } finally {
        await proxy.close();
      }
      expect(kills).toBeGreaterThan(8);
      expect(await world.vault.list('meshroot-root/issuers')).toHaveLength(1);
      expect((await world.run('plan')).code).toBe(0);
      expect((await world.run('destroy', '--yes')).code).toBe(0);
      await gone(world);
      expect(await traces(world)).toEqual(before);
    }, 180_000);

    test('KV v2, own names, a stored reviewer token, gateways and writers', async () => {
      const cluster = readFileSync(new URL('./full-cluster.yaml', import.meta.url), 'utf8');
      const more = cluster.replace(/^(?=.)/gm, '    ');
      const file = world.meshFile('full.yaml', { more });
      const applied = await world.run('apply', '-f', file, '--yes');
      expect([applied.code, applied.stderr]).toEqual([0, expect.anything()]);
      expect((await world.run('plan', '-f', file)).stdout).toContain('nothing to change');
      const writer = (await world.vault.read('sys/policies/acl/istiod-certs-eu-portal'))?.data?.policy;
      expect(writer).toContain('kubernetes-eu-secrets/data/istiod-service/certs');
      expect(writer).not.toContain('read');
      expect((await world.run('destroy', '-f', file, '--yes')).code).toBe(0);
      await gone(world);
      expect(await traces(world)).toEqual(before);
    });

    test('a mesh set up by hand is adopted, and destroy does not touch it', async () => {
      await handMadeMesh(world);
      const top = 'root: { keyType: ec-p256, import: { cert: root-cert.pem, key: root-key.pem } }\n';
      const file = world.meshFile('adopt.yaml', { top });
      const handMade = await traces(world);
      const refused = await world.run('apply', '-f', file, '--yes');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringContaining('was not made by meshroot'),
      ]);
      expect(await traces(world)).toEqual(handMade);
      const adopted = await world.run('apply', '-f', file, '--yes', '--adopt');
      expect([adopted.code, adopted.stdout]).toEqual([0, expect.stringContaining('proof us')]);
      expect(await world.run('plan', '-f', file)).toMatchObject({ code: 0 });
      expect((await world.run('destroy', '-f', file, '--yes')).code).toBe(0);
      expect(await traces(world)).toEqual(handMade);
      // The bundle that a person put there stays; the record that meshroot put beside it is gone.
      expect(await world.vault.list('kubernetes-eu-secrets/istiod-service')).toEqual(['certs']);
    });
  });
}
