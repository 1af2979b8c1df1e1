import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import { parseCsr } from '../../x509/csr.ts';
import type { Issuer } from '../../x509/issuer.ts';
import { generateKeyPair, keyMatches, parsePrivateKey, privateKeyPem } from '../../x509/keys.ts';
import { issueIntermediate } from '../../x509/templates/intermediate.ts';
import { createRoot } from '../../x509/templates/root.ts';
import { issueServing } from '../../x509/templates/serving.ts';
import { type TestAgent, testAgent } from '../test-agent.ts';
import { type TestVault, testVault } from '../test-vault.ts';

const hour = 3_600_000;
const issuePath = 'pki/issue/web';
const signPath = 'root/root/sign-intermediate';

describe('a template that asks the PKI engine', () => {
  let vault: TestVault;
  let agent: TestAgent;
  let root: Issuer;
  let ttl = hour;
  const bodies: Record<string, unknown>[] = [];
  /** What the store signs, made ahead: its answers are given at once. */
  let ready: Record<string, unknown>[] = [];

  beforeEach(async () => {
    vault = await testVault();
    agent = await testAgent(() => vault.address);
    const key = await generateKeyPair('ec-p256');
    const certificate = await createRoot({ key, ttl: 3650 * 24 * hour, now: Date.now() });
    root = { certificate, privateKey: key.privateKey };
    bodies.length = 0;
    ttl = hour;
    ready = await Promise.all([served(Date.now()), served(Date.now() - 2 * hour)]);
    vault.answers[issuePath] = (body) => {
      bodies.push(body as Record<string, unknown>);
      return { status: 200, body: { request_id: 'r', data: ready[0] } };
    };
  });
  afterEach(async () => {
    await agent.remove();
    await vault.close();
  });

  async function served(now: number): Promise<Record<string, unknown>> {
    const key = await generateKeyPair('ec-p256');
    const { publicKey } = key;
    const certificate = await issueServing({ issuer: root, publicKey, dns: ['a.example'], ttl, now });
    return {
      certificate: certificate.pem,
      private_key: privateKeyPem(key.privateKey).reveal(),
      issuing_ca: root.certificate.pem,
      ca_chain: [root.certificate.pem],
      expiration: Math.floor(certificate.notAfter / 1000),
    };
  }
  const pkiCert = (destination: string): string => `exit_after_auth = true
    template { destination = "${destination}"
      contents = "{{ with pkiCert \\"${issuePath}\\" \\"common_name=a.example\\" }}{{ .Data.Key }}{{ .Cert }}{{ .CA }}{{ len .CAChain }}{{ end }}" }`;

  test('pkiCert writes key, certificate and CA, and uses what lies there as long as it is good', async () => {
    const path = join(agent.folder, 'web.pem');
    expect(await agent.run(pkiCert(path))).toBe(0);
    const first = await readFile(path, 'utf8');
    expect(first).toBe(`${ready[0]?.private_key}${ready[0]?.certificate}${root.certificate.pem}1`);
    expect(bodies).toEqual([{ common_name: 'a.example' }]);
    await agent.run(pkiCert(path));
    expect(await readFile(path, 'utf8')).toBe(first);
    expect(bodies).toHaveLength(1);
  });

  test('pkiCert replaces a certificate that is over nine tenths through, or something else', async () => {
    const path = join(agent.folder, 'web.pem');
    for (const old of [
      `${ready[1]?.private_key}${ready[1]?.certificate}`,
      'something else',
      '-----BEGIN X',
    ]) {
      await writeFile(path, old);
      await agent.run(pkiCert(path));
      expect(await readFile(path, 'utf8')).toContain(String(ready[0]?.certificate));
    }
    expect(bodies).toHaveLength(3);
  });

  test('pkiCert says so when the store gives what is over already, and needs a destination', async () => {
    ready = [ready[1] ?? {}];
    const once = 'template_config { exit_on_retry_failure = true }';
    const hasty = { now: systemClock.now, sleep: () => systemClock.sleep(0) };
    await expect(agent.run(`${pkiCert(join(agent.folder, 'x'))}\n${once}`, hasty)).rejects.toMatchObject({
      code: 'template-read',
      message: expect.stringContaining('needs renewal'),
    });
    expect(agent.log()).toContain('hint="is the ttl long enough');
  });

  /** A store whose answer takes the public key of the request. */
  function signer(days: number): void {
    vault.answers[signPath] = async (body) => {
      const given = body as Record<string, unknown>;
      bodies.push(given);
      const { publicKey } = parseCsr(String(given.csr));
      const now = Date.now();
      const certificate = await issueIntermediate({
        issuer: root,
        publicKey,
        name: 'c1',
        ttl: days * 24 * hour,
        now,
      });
      const data = { certificate: certificate.pem, issuing_ca: root.certificate.pem };
      return { status: 200, body: { request_id: 'r', data } };
    };
  }
  const istioCa = (folder: string): string =>
    `exit_after_auth = true\n${Object.entries({
      'ca-key.pem': 'Key',
      'ca-cert.pem': 'Cert',
      'cert-chain.pem': 'Chain',
      'root-cert.pem': 'Root',
    })
      .map(
        ([file, part]) => `template { destination = "${folder}/${file}"
        contents = "{{ with istioCA \\"${signPath}\\" \\"name=c1\\" \\"ttl=48h\\" }}{{ .${part} }}{{ end }}" }`,
      )
      .join('\n')}`;

  test('istioCA makes the key here and has one intermediate signed for all four files', async () => {
    signer(2);
    const folder = join(agent.folder, 'secrets');
    expect(await agent.run(istioCa(folder))).toBe(0);
    const read = (name: string): Promise<string> => agent.file(join('secrets', name));
    const certificate = parseCertificate(await read('ca-cert.pem'));
    expect(keyMatches(certificate, parsePrivateKey(await read('ca-key.pem')).privateKey)).toBe(true);
    expect(await read('cert-chain.pem')).toBe(certificate.pem + root.certificate.pem);
    expect(await read('root-cert.pem')).toBe(root.certificate.pem);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatchObject({ ttl: '48h', max_path_length: 0, use_csr_values: true });
    expect(JSON.stringify(bodies)).not.toContain('PRIVATE KEY');
    await agent.run(istioCa(folder));
    expect(bodies).toHaveLength(1); // the one from the first run is good
    expect(agent.log()).not.toContain('PRIVATE KEY');
  });

  test('istioCA refuses what istiod could not use, with the reason', async () => {
    signer(2);
    const signed = vault.answers[signPath];
    vault.answers[signPath] = async (...request) => {
      const answer = await signed?.(...request);
      const { data } = (answer?.body ?? {}) as { data: Record<string, unknown> };
      return { status: 200, body: { request_id: 'r', data: { certificate: data.certificate } } };
    };
    const hasty = { now: systemClock.now, sleep: () => systemClock.sleep(0) };
    await expect(
      agent.run(
        `${istioCa(join(agent.folder, 's'))}\ntemplate_config { exit_on_retry_failure = true }`,
        hasty,
      ),
    ).rejects.toMatchObject({
      message: expect.stringContaining('the answer holds no chain up to a root'),
      hint: expect.stringContaining('sign-intermediate'),
    });
  });
});
