import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { privateKeyPem } from '../../../src/x509/keys.ts';
import { testRoot } from '../../../src/x509/test-ca.ts';
import { istioCa, withCertManager } from '../../support/cert-manager-api.ts';
import { handMadeMesh } from '../../support/hand-made-mesh.ts';
import { commandsOf, shellIn } from '../../support/in-shell.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { istioCsrOn, istioOn, kubeconfigOf } from '../../support/running-mesh.ts';

const page = 'docs/move-a-running-mesh.md';
const noOpenssl = spawnSync('openssl', ['version']).status !== 0;

describe('running meshes of other kinds, moved by the commands of the page', () => {
  let world: MeshWorld;
  let shell: ReturnType<typeof shellIn>;
  beforeEach(async () => {
    world = await startMeshWorld();
    shell = shellIn(world.dir, {
      ...world.env,
      VAULT_ADDR: world.vaultAddress,
      KUBECONFIG: kubeconfigOf(world),
    });
  });
  afterEach(() => world?.stop());

  /** Runs a block to its end; the output of each command. */
  async function block(name: string): Promise<string[]> {
    const outputs: string[] = [];
    for (const command of commandsOf(page, name)) {
      const { code, stdout, stderr } = await shell(command);
      expect([command, code, stderr]).toEqual([command, 0, expect.anything()]);
      outputs.push(stdout + stderr);
    }
    return outputs;
  }
  const meshYaml = () => readFileSync(join(world.dir, 'mesh.yaml'), 'utf8');

  test('what was typed by hand is found by the annotations of istiod, and taken over as it is', async () => {
    await handMadeMesh(world);
    const root = readFileSync(join(world.dir, 'root-cert.pem'), 'utf8');
    for (const [name, kube] of world.kubes) {
      await istioOn(kube, {
        root,
        annotations: {
          'vault.hashicorp.com/agent-inject': 'true',
          'vault.hashicorp.com/role': 'istiod',
          'vault.hashicorp.com/auth-path': `auth/kubernetes-${name}`,
          'vault.hashicorp.com/service': world.vaultAddress,
          'vault.hashicorp.com/agent-inject-secret-ca-key.pem': `kubernetes-${name}-secrets/istiod-service/certs`,
        },
      });
    }
    const before = await world.vault.read('kubernetes-eu-secrets/istiod-service/certs');
    const [found, , , after] = await block('by-hand');
    expect(found).toContain(`its CA is injected from ${world.vaultAddress}: kubernetes-eu-secrets/`);
    expect(meshYaml()).toContain('authMount: kubernetes-us');
    expect(meshYaml()).not.toContain('injector:');
    expect(after).toBe('nothing to change. nothing was written\n');
    const { data } = (await world.vault.read('kubernetes-eu-secrets/istiod-service/certs')) ?? {};
    expect(data).toEqual(before?.data);
  });

  test('istio-csr: its issuer is found, and the next intermediate is wanted like its Certificate', async () => {
    const kube = world.kubes.get('eu')!;
    const { certificate } = await testRoot('ec-p384', undefined, Date.now());
    await istioOn(kube, { root: certificate.pem });
    await istioCsrOn(kube);
    const certManager = await withCertManager(join(world.dir, 'kubeconfig'), 'eu', istioCa);
    const [found, waiting] = await block('cert-manager').finally(() => certManager.close());
    expect(found).toMatch(
      /istio-csr Deployment cert-manager\/cert-manager-istio-csr, .*: Issuer istio-ca of cert-manager\.io signs/,
    );
    expect(found).toContain('Issuer istio-system/istio-ca, kind ca');
    expect(found).toMatch(
      /Certificate istio-system\/istio-ca: ECDSA 384, 1440h, renewed 360h before its end, signed by selfsigned/,
    );
    expect(meshYaml()).toContain('intermediate: { keyType: ec-p384, ttl: 60d, renewAt: 0.75 }');
    expect(meshYaml()).toContain('trustDomain: shop.example');
    expect(waiting).toContain('waiting for signature of meshroot-sign/eu.csr.pem');
  });

  test.skipIf(noOpenssl)(
    'a CA that istiod made itself signs an intermediate, and the root stays the same',
    async () => {
      const kube = world.kubes.get('eu')!;
      const root = await testRoot('rsa-2048', undefined, Date.now());
      await istioOn(kube);
      const stringData = {
        'ca-key.pem': privateKeyPem(root.privateKey, 'traditional').reveal(),
        'ca-cert.pem': root.certificate.pem,
      };
      const metadata = { name: 'istio-ca-secret', namespace: 'istio-system' };
      await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'istio.io/ca-root', stringData });
      writeFileSync(join(world.dir, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
      const outputs = await block('self-made');
      expect(outputs[0]).toMatch(
        /Secret istio-system\/istio-ca-secret, CA that istiod made itself: .*rsa-2048/,
      );
      expect(outputs.at(-1)).toMatch(/proof eu .*read its bundle/);
      const { data } = (await world.vault.read('kubernetes-eu-secrets/istiod-service/certs')) ?? {};
      expect(data?.root_cert).toBe(root.certificate.pem);
      expect(outputs.join('')).not.toContain(stringData['ca-key.pem'].split('\n')[1]);
    },
  );
});
