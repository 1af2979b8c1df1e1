import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MeshWorld, type RealParts, realParts, startMeshWorld } from '../support/mesh-world.ts';
import { type Run, startMeshroot } from '../support/meshroot.ts';

function serving(parts: RealParts): void {
  describe(`serve on ${parts.bao} and ${parts.apiserver}`, () => {
    let world: MeshWorld;
    let file: string;
    let serve: Run;
    beforeAll(async () => {
      world = await startMeshWorld(parts);
      file = world.meshFile('mesh.yaml', { top: 'root: { keyType: ec-p256 }\n' });
      const args = ['serve', '-f', file, '--listen', '127.0.0.1:0', '--leader-elect'];
      serve = startMeshroot([...args, '--lease-namespace', 'default'], {
        cwd: world.dir,
        env: { ...world.env, KUBECONFIG: join(world.dir, 'eu.kubeconfig') },
      });
    });
    afterAll(async () => {
      serve?.child.kill('SIGKILL');
      await serve?.ended;
      await world?.stop();
    });

    /** The line that tells of a group, printed after a look that a signal asked for. */
    const lookAgain = (pattern: RegExp): Promise<string> => {
      const seen = serve.output.stderr.length;
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(serve.output.stderr.slice(seen));
          if (found !== null) resolve(found[0]);
        };
        serve.child.stderr?.on('data', look);
        void serve.ended.then(() => reject(new Error(`ended: ${serve.output.stderr}`)));
        serve.child.kill('SIGHUP');
      });
    };

    test('becomes leader by a Lease and brings both clusters from nothing to what mesh.yaml wants', async () => {
      await serve.until(/became leader of meshroot-serve/);
      await serve.until(/brought back: group=eu [^\n]*/);
      await serve.until(/brought back: group=us [^\n]*/);
      expect(serve.output.stderr).not.toMatch(/failed, will be tried again|is not proven/);
      expect(await world.run('plan', '-f', file)).toMatchObject({ code: 0 });
      expect(Object.keys((await world.vault.read('sys/auth'))?.data ?? {})).not.toContain('meshroot-probe/');
    });

    test('brings back what somebody changed by hand, in the store and in a cluster', async () => {
      const policy = 'sys/policies/acl/istiod-certs-us';
      const before = (await world.vault.read(policy))?.data?.policy;
      await world.vault.write(policy, { policy: `${before}\npath "x/*" { capabilities = ["read"] }` });
      expect(await lookAgain(/brought back: group=us [^\n]*/)).toContain('policy istiod-certs-us');
      expect((await world.vault.read(policy))?.data?.policy).toBe(before);
      const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' };
      const ref = { ...binding, name: 'role-tokenreview-binding' };
      await world.kubes.get('eu')?.delete(ref);
      expect(await lookAgain(/brought back: group=eu [^\n]*/)).toContain('role-tokenreview-binding');
      expect(await world.kubes.get('eu')?.get(ref)).toBeDefined();
    });

    test('leaves on SIGTERM, and what it made logs in: apply has only to prove it', async () => {
      serve.child.kill('SIGTERM');
      expect(await serve.ended).toBe(0);
      const proven = await world.run('apply', '-f', file, '--yes');
      expect([proven.code, proven.stdout]).toEqual([0, expect.stringMatching(/proof eu[\s\S]*0 written/)]);
    });
  });
}

const parts = realParts();
if ('missing' in parts) test.skip(`serve on real parts: not on PATH: ${parts.missing.join(', ')}`, () => {});
else serving(parts);
