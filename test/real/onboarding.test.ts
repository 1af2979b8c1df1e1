import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { presentedChain } from '../../src/istio/presented-chain.ts';
import { requestCertificate } from '../../src/istio/workload-request.ts';
import { parseCertificate, parseCertificates } from '../../src/x509/certificate.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { gone } from '../support/mesh-scenario.ts';
import { type MeshWorld, type RealParts, realParts, startMeshWorld } from '../support/mesh-world.ts';
import { runMeshroot } from '../support/meshroot.ts';
import { onPath } from '../support/on-path.ts';
import { startRealIstiod } from '../support/real-istiod.ts';

const fileNames = { ca_key: 'ca-key', ca_cert: 'ca-cert', cert_chain: 'cert-chain', root_cert: 'root-cert' };

/** The four files of istiod, brought by our agent with a token of istiod's service account. @returns their folder */
async function deliver(world: MeshWorld): Promise<string> {
  const folder = join(world.dir, 'delivered');
  mkdirSync(folder);
  const issued = await world.kubes.get('eu')?.tokenRequest('istio-system', 'istiod', {
    audiences: ['https://kubernetes.default.svc'],
    expirationSeconds: 600,
  });
  const jwt = join(world.dir, 'istiod.jwt');
  writeFileSync(jwt, issued?.token.reveal() ?? '', { mode: 0o600 });
  const templates = Object.entries(fileNames).map(([key, file]) => ({
    destination: join(folder, `${file}.pem`),
    contents: `{{ with secret "kubernetes-eu-secrets/istiod-service/certs" }}{{ .Data.${key} }}{{ end }}`,
  }));
  const method = { type: 'kubernetes', mount_path: 'auth/kubernetes-eu' };
  const config = {
    vault: { address: world.vaultAddress },
    auto_auth: { method: [{ ...method, config: { role: 'istiod', token_path: jwt } }] },
    template: templates,
  };
  const path = join(world.dir, 'agent.json');
  writeFileSync(path, JSON.stringify(config));
  const agent = await runMeshroot(['agent', `-config=${path}`, '-exit-after-auth'], { cwd: world.dir });
  expect([agent.code, agent.stderr]).toEqual([0, expect.anything()]);
  return folder;
}

/** A real istiod of cluster eu on the files of `bundle`. @returns where its CA listens */
async function startIstiod({ dir: cwd }: MeshWorld, program: string, bundle: string) {
  const { address, istiod } = await startRealIstiod({
    program,
    cwd,
    kubeconfig: join(cwd, 'eu.kubeconfig'),
    bundle,
    clusterId: 'eu',
  });
  return { address, stop: istiod.stop };
}

function onboarding(parts: RealParts): void {
  describe('two clusters, real parts', () => {
    let world: MeshWorld;
    beforeAll(async () => {
      world = await startMeshWorld(parts);
    });
    afterAll(() => world?.stop());

    test('are onboarded, from the start of the command to the last proof, within ten seconds', async () => {
      world.meshFile('mesh.yaml');
      const began = performance.now();
      const { code, stdout, stderr } = await world.run('apply', '--yes');
      const seconds = (performance.now() - began) / 1000;
      expect([code, stderr, stdout.match(/proof (eu|us)/g)?.sort()]).toEqual([
        0,
        expect.anything(),
        ['proof eu', 'proof us'],
      ]);
      process.stdout.write(
        `onboarding two clusters on ${parts.bao} and ${parts.apiserver}: ${seconds.toFixed(1)} s\n`,
      );
      expect(seconds).toBeLessThan(10);
    });

    const pilot = onPath('pilot-discovery');
    test.skipIf(pilot === undefined)(
      'a fresh pilot-discovery boots from what apply put there and signs for workloads',
      async () => {
        const folder = await deliver(world);
        const pem = (file: string) => readFileSync(join(folder, `${file}.pem`), 'utf8');
        const intermediate = parseCertificate(pem('ca-cert'));
        const istiod = await startIstiod(world, pilot ?? '', folder);
        try {
          const { address } = istiod;
          const [serverName, rootPem] = ['istiod.istio-system.svc', pem('root-cert')];
          const served = await presentedChain({ address, serverName, rootPem });
          expect(served[1]?.serial).toBe(intermediate.serial);
          const kube = world.kubes.get('eu');
          const issued = await kube?.tokenRequest('istio-system', 'istiod', { audiences: ['istio-ca'] });
          const key = await generateKeyPair('ec-p256');
          const chain = await requestCertificate({
            address,
            serverName,
            rootPem,
            csr: await createCsr({ key }),
            ttl: 600_000,
            token: issued?.token.reveal() ?? '',
            clusterId: 'eu',
          });
          const [leaf, signer] = parseCertificates(chain.join('\n'));
          expect(leaf?.sans.uri).toEqual(['spiffe://cluster.local/ns/istio-system/sa/istiod']);
          expect(signer?.serial).toBe(intermediate.serial);
        } finally {
          await istiod.stop();
        }
      },
    );

    test('a namespace of the store: all of the mesh is in it, nothing outside, and destroy empties it', async () => {
      expect((await world.run('destroy', '--yes')).code).toBe(0);
      await gone(world);
      const made = await world.vault.request('PUT', 'sys/namespaces/platform', {});
      if (made.status === 404) return; // a Vault without namespaces
      expect(made.status).toBe(200);
      const file = world.meshFile('namespace.yaml');
      const text = readFileSync(file, 'utf8').replace(/^(vault: \{.*) \}$/m, '$1, namespace: platform }');
      writeFileSync(file, text);
      const inside = { 'X-Vault-Namespace': 'platform' };
      const mounts = async (headers: Record<string, string>) => {
        const { body } = await world.vault.request('GET', 'sys/mounts', undefined, headers);
        return Object.keys((body as { data: object }).data).filter((path) =>
          /meshroot|kubernetes/.test(path),
        );
      };
      const run = await world.run('apply', '-f', file, '--yes');
      expect([run.code, run.stdout, run.stderr.slice(-600)]).toEqual([
        0,
        expect.stringContaining('proof us'),
        expect.anything(),
      ]);
      expect((await mounts(inside)).sort()).toEqual([
        'kubernetes-eu-secrets/',
        'kubernetes-us-secrets/',
        'meshroot-root/',
        'meshroot-state/',
      ]);
      expect(await mounts({})).toEqual([]);
      expect((await world.run('plan', '-f', file)).code).toBe(0);
      expect((await world.run('destroy', '-f', file, '--yes')).code).toBe(0);
      expect(await mounts(inside)).toEqual([]);
    });
  });
}

const parts = realParts();
if ('missing' in parts)
  test.skip(`onboarding on real parts: not on PATH: ${parts.missing.join(', ')}`, () => {});
else onboarding(parts);
