import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/x509/keys.ts';
import { issueServing } from '../../../src/x509/templates/serving.ts';
import { testRoot } from '../../../src/x509/test-ca.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

const day = 86_400_000;

describe('one mesh over two vaults', () => {
  let main: MeshWorld;
  let other: MeshWorld;
  const env = () => ({ ...main.env, OTHER_TOKEN: other.env.VAULT_TOKEN ?? '' });
  const mounts = async ({ vault }: MeshWorld) => Object.keys((await vault.read('sys/mounts'))?.data ?? {});

  /** mesh.yaml whose cluster us is in the other vault. */
  function meshFile(address: string, more = ''): string {
    const path = join(main.dir, 'mesh.yaml');
    writeFileSync(
      path,
      `apiVersion: meshroot/v1
kind: Mesh
trustDomain: shop.example
trustDomainAliases: [old.example]
vault: { address: "${main.vaultAddress}" }
root: { keyType: ec-p256 }
clusters:
  - name: eu
    kubeconfig: eu.kubeconfig
  - name: us
    kubeconfig: us.kubeconfig
    kv: 2
    names: { authMount: logins/us, secretsMount: teams/mesh/us, policy: mesh-us-istiod, role: mesh }
    vault: { address: "${address}", tokenEnv: OTHER_TOKEN }
    istiod: { deploy: {} }
${more}`,
    );
    return path;
  }

  beforeAll(async () => {
    [main, other] = await Promise.all([startMeshWorld(), startMeshWorld()]);
  });
  afterAll(() => Promise.all([main?.stop(), other?.stop()]));

  test('nothing is written anywhere when one of them is wrongly named', async () => {
    const before = [await mounts(main), await mounts(other)];
    const refused = await runHere(['apply', '--yes', '-f', meshFile('http://127.0.0.1:9')], env());
    expect(refused).toMatchObject({
      code: 1, // refused: the other cluster could be looked at
      stderr: expect.stringContaining('no answer from the vault at http://127.0.0.1:9'),
    });
    const noToken = await runHere(['apply', '--yes', '-f', meshFile(other.vaultAddress)], main.env);
    expect(noToken).toMatchObject({ code: 2, stderr: expect.stringContaining('OTHER_TOKEN is empty') });
    expect([await mounts(main), await mounts(other)]).toEqual(before);
  });

  test('each cluster lives in its own, under its own names, below one root', async () => {
    const { code, stderr, stdout } = await runHere(
      ['apply', '--yes', '-f', meshFile(other.vaultAddress)],
      env(),
    );
    expect([code, stderr]).toEqual([0, expect.anything()]);
    expect(stdout).toMatch(/proof us +istio-system\/istiod logged in as mesh/);
    expect(await mounts(main)).not.toContain('teams/mesh/us/');
    const theirs = await mounts(other);
    expect(theirs).toContain('teams/mesh/us/');
    expect(theirs).not.toContain('meshroot-root/');
    const eu = (await main.vault.read('kubernetes-eu-secrets/istiod-service/certs'))?.data;
    const us = (await other.vault.read('teams/mesh/us/data/istiod-service/certs'))?.data?.data;
    expect((us as Record<string, unknown>).root_cert).toBe(eu?.root_cert);
    expect(await runHere(['plan', '-f', meshFile(other.vaultAddress)], env())).toMatchObject({ code: 0 });
  });

  test('istiod of a deployed cluster is told the trust domain and its aliases', async () => {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'istio', namespace: 'istio-system' };
    expect((await main.kubes.get('us')?.get(ref))?.data).toEqual({
      mesh: 'trustDomain: shop.example\ntrustDomainAliases:\n  - old.example\n',
    });
  });

  test('gateways get certificates: one issued for its hosts, one placed from files', async () => {
    const now = Date.now();
    const issuer = await testRoot('ec-p256', 10 * day, now);
    const key = await generateKeyPair('ec-p256');
    const placed = await issueServing({
      issuer,
      publicKey: key.publicKey,
      dns: ['pay.example'],
      ttl: 5 * day,
      now,
    });
    writeFileSync(join(main.dir, 'pay.crt'), placed.pem + issuer.certificate.pem);
    writeFileSync(join(main.dir, 'pay.key'), privateKeyPem(key.privateKey).reveal());
    const gateways = (hosts: string) => `    gateways:
      - { name: shop, namespace: istio-ingress, hosts: ${hosts} }
      - { name: pay, namespace: istio-ingress, files: { cert: pay.crt, key: pay.key } }
`;
    const file = meshFile(other.vaultAddress, gateways('[shop.example]'));
    expect(await runHere(['apply', '--yes', '-f', file], env())).toMatchObject({ code: 0 });
    const entry = async (name: string) =>
      (await other.vault.read(`teams/mesh/us/data/gateways/${name}/certs`))?.data?.data as Record<
        string,
        string
      >;
    const shop = parseCertificate((await entry('shop')).server_certificate ?? '');
    expect([shop.sans.dns, shop.isCa]).toEqual([['shop.example'], false]);
    expect((await entry('shop')).private_key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect((await entry('pay')).server_certificate).toBe(placed.pem + issuer.certificate.pem);
    expect(await runHere(['plan', '-f', file], env())).toMatchObject({ code: 0 });

    const changed = meshFile(other.vaultAddress, gateways('[shop.example, www.shop.example]'));
    expect(await runHere(['plan', '-f', changed], env())).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('+ shop.example, www.shop.example'),
    });
    writeFileSync(
      join(main.dir, 'pay.key'),
      privateKeyPem((await generateKeyPair('ec-p256')).privateKey).reveal(),
    );
    expect(await runHere(['apply', '--yes', '-f', changed], env())).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('gateway pay: tls.key is not the key of'),
    });
    expect(parseCertificate((await entry('shop')).server_certificate ?? '').serial).toBe(shop.serial);
  });
});
