import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { isKeyless, seeKeyless } from '../../src/mesh/keyless.ts';
import { loadMesh } from '../../src/mesh/load.ts';
import { storeNewIntermediate } from '../../src/mesh/new-intermediate.ts';
import { parseCertificate, parseCertificates } from '../../src/x509/certificate.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { gone } from './mesh-scenario.ts';
import { type MeshWorld, type RealParts, startMeshWorld } from './mesh-world.ts';
import { runHere } from './run-here.ts';
import { runningCa } from './running-ca.ts';

/** A cluster whose CA key stays in Vault, beside one with a bundle, on our parts or the real ones. */
export function keylessScenario(title: string, real?: RealParts): void {
  describe(title, () => {
    let world: MeshWorld;
    let file: string;
    const run = (command: string, ...more: string[]) => runHere([command, '-f', file, ...more], world.env);
    const cluster = async (name: string) => {
      const found = (await loadMesh(file)).clusters.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no cluster ${name}`);
      return found;
    };
    const caOf = async (name: string) => (await seeKeyless(await cluster(name), world.vault))?.caCert ?? '';

    beforeAll(async () => {
      world = await startMeshWorld(real);
      file = world.meshFile('mesh.yaml', { top: 'root: { keyType: ec-p256 }\n' });
      const keyless = '- name: eu\n    intermediate: { delivery: keyless }\n';
      writeFileSync(file, readFileSync(file, 'utf8').replace('- name: eu\n', keyless));
      const { code, stdout, stderr } = await run('apply', '--yes');
      expect([code, stderr, stdout]).toEqual([
        0,
        expect.anything(),
        expect.stringMatching(/proof eu +istio-system\/istiod logged in as istiod, had Vault sign for it/),
      ]);
    });
    afterAll(() => world?.stop());

    test('is as wanted afterwards: one root, no secrets mount for it, a key that no path gives out', async () => {
      expect(await run('plan')).toMatchObject({
        code: 0,
        stdout: 'nothing to change. nothing was written\n',
      });
      const mounts = Object.keys((await world.vault.read('sys/mounts'))?.data ?? {});
      expect(mounts).toContain('kubernetes-eu-pki/');
      expect(mounts).not.toContain('kubernetes-eu-secrets/');
      const us = (await world.vault.read('kubernetes-us-secrets/istiod-service/certs'))?.data;
      const found = await seeKeyless(await cluster('eu'), world.vault);
      expect(found?.rootCert.trim()).toBe(String(us?.root_cert).trim());
      const ca = parseCertificate(found?.caCert ?? '');
      expect([ca.isCa, ca.pathLength]).toEqual([true, 0]);
      const { code, stdout } = await run('status');
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/eu .*kubernetes-eu-pki\n.*istiod: istiod@istio-system signs by its CA/),
      ]);
      expect(await run('doctor', 'eu')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('may update kubernetes-eu-pki/sign/workloads'),
      });
    });

    test('lets meshroot ca, logged in as its service account, sign for this trust domain, and nothing else', async () => {
      const kube = world.kubes.get('eu')!;
      const issued = await kube.tokenRequest('istio-system', 'istiod', { expirationSeconds: 600 });
      const jwtFile = join(world.dir, 'ca.jwt');
      writeFileSync(jwtFile, issued.token.reveal(), { mode: 0o600 });
      const rootCaDir = join(world.dir, 'no-files');
      mkdirSync(rootCaDir);
      const login = { authPath: 'kubernetes-eu', role: 'istiod', jwtFile };
      const pki = { pki: 'kubernetes-eu-pki', pkiRole: 'workloads' };
      const vault = { address: world.vaultAddress, ...login, ...pki };
      const ca = await runningCa({}, { rootCaDir, signer: 'vault-pki', vault });
      try {
        const csr = await createCsr({ key: await generateKeyPair('ec-p256') });
        const us = (await world.vault.read('kubernetes-us-secrets/istiod-service/certs'))?.data;
        const chain = await ca.ask({ csr, token: await ca.token(), rootPem: String(us?.root_cert) });
        const [leaf, signer] = parseCertificates(chain.join('\n'));
        expect(leaf?.sans.uri[0]).toMatch(/^spiffe:\/\/cluster\.local\//);
        expect(signer?.pem).toBe(await caOf('eu'));
      } finally {
        await ca.close();
      }
      const reply = await world.vault.request('PUT', 'auth/kubernetes-eu/login', {
        role: 'istiod',
        jwt: issued.token.reveal(),
      });
      const as = { 'X-Vault-Token': (reply.body as { auth: { client_token: string } }).auth.client_token };
      const ask = async (method: string, path: string, body?: object) =>
        (await world.vault.request(method, path, body, as)).status;
      const csr = await createCsr({ key: await generateKeyPair('ec-p256') });
      const stranger = { csr, uri_sans: 'spiffe://other.example/ns/a/sa/b' };
      expect(await ask('PUT', 'kubernetes-eu-pki/sign/workloads', stranger)).toBe(400);
      for (const path of ['kubernetes-eu-pki/sign-verbatim', 'meshroot-root/root/sign-intermediate']) {
        expect(await ask('PUT', path, { csr })).toBe(403);
      }
      expect(await ask('GET', 'kubernetes-us-secrets/istiod-service/certs')).toBe(403);
    });

    test('gets a new intermediate that signs from then on, under the same root', async () => {
      const [mesh, eu, before] = [await loadMesh(file), await cluster('eu'), await caOf('eu')];
      expect(isKeyless(eu)).toBe(true);
      const kube = () => Promise.reject(new Error('not asked'));
      await storeNewIntermediate(mesh, eu, { vault: world.vault, clock: systemClock, kube });
      expect(await caOf('eu')).not.toBe(before);
      expect(await run('plan')).toMatchObject({ code: 0 });
      expect((await run('apply', '--yes')).stdout).toMatch(/proof eu .*had Vault sign for it/);
    });

    test('its trust domain is not changed under it', async () => {
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace('kind: Mesh', 'kind: Mesh\ntrustDomain: new.example'));
      const { code, stdout } = await run('plan');
      writeFileSync(file, text);
      expect([code, stdout]).toEqual([1, expect.stringMatching(/eu is live in trust domain cluster\.local/)]);
    });

    test('destroy leaves nothing of it; an operator and an auditor have what they need', async () => {
      expect((await run('destroy', '--yes')).code).toBe(0);
      await gone(world);
      const mounts = Object.keys((await world.vault.read('sys/mounts'))?.data ?? {});
      expect(mounts.filter((path) => /kubernetes|meshroot/.test(path))).toEqual([]);
      for (const [role, command] of [
        ['operator', ['apply', '--yes']],
        ['auditor', ['plan']],
      ] as const) {
        const { stdout } = await runHere(['policy', 'print', role, '-f', file], world.env);
        await world.vault.write(`sys/policies/acl/${role}`, { policy: stdout });
        const made = await world.vault.write('auth/token/create', { policies: [role] });
        const env = { VAULT_TOKEN: made?.auth?.client_token ?? '' };
        const done = await runHere([...command, '-f', file], env);
        expect([role, done.code, done.stderr]).toEqual([role, 0, expect.anything()]);
      }
    });
  });
}
