import { once } from 'node:events';
import { readFileSync, realpathSync, watch } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestVault, testVault } from '../../../src/agent/test-vault.ts';
import { explain } from '../../../src/injector/explain.ts';
import { defaultSettings } from '../../../src/injector/settings.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Issuer } from '../../../src/x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/x509/keys.ts';
import { createRoot } from '../../../src/x509/templates/root.ts';
import { issueServing } from '../../../src/x509/templates/serving.ts';
import { type Run, startMeshroot } from '../../support/meshroot.ts';

/** A gateway pod with one annotation: its agent as the injector configures it, a TLS server on its files, a client. */

const path = 'kv/gateways/shop';
let vault: TestVault;
let root: Issuer;
let folder: string;
let agent: Run;
let server: Server;

/** As the injector writes it for the annotation, with the paths of the pod on this machine. */
function agentConfiguration(): string {
  const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
  const pod = {
    metadata: {
      name: 'ingress',
      annotations: {
        'meshroot.io/gateway-certs': path,
        'vault.hashicorp.com/role': 'ingress',
        'vault.hashicorp.com/template-static-secret-render-interval': '100ms',
      },
    },
    spec: {
      containers: [{ name: 'istio-proxy', volumeMounts: [{ name: 't', mountPath }] }],
      volumes: [{ name: 't' }],
    },
  };
  const settings = { ...defaultSettings, vaultAddress: vault.address, cluster: 'c1' };
  const { agents } = explain(pod, 'istio-ingress', settings);
  const sidecar = agents.find(({ name }) => name === 'vault-agent');
  return JSON.stringify(sidecar?.configuration)
    .replaceAll(mountPath, join(folder, 'sa'))
    .replaceAll('/vault/secrets', join(folder, 'secrets'))
    .replaceAll('/home/vault', folder);
}

/** A new certificate in the store; `other` leaves the old key in place. */
async function rotate(other: Record<string, string> = {}): Promise<string> {
  const key = await generateKeyPair('ec-p256');
  const dns = ['shop.example'];
  const certificate = await issueServing({
    issuer: root,
    publicKey: key.publicKey,
    dns,
    ttl: 3600_000,
    now: systemClock.now(),
  });
  vault.data[path] = {
    server_certificate: certificate.pem,
    private_key: privateKeyPem(key.privateKey).reveal(),
    ca_certificates: root.certificate.pem,
    ...other,
  };
  return certificate.serial;
}

const secrets = (name: string): string => join(folder, 'secrets', name);
/** The pair of one set: `..data` is resolved once, so that a swap between the two readings cannot mix them. */
function files(): { cert: Buffer; key: Buffer } {
  const set = realpathSync(secrets('..data'));
  return { cert: readFileSync(join(set, 'tls.crt')), key: readFileSync(join(set, 'tls.key')) };
}

/** The serial that a client sees, which trusts only the CA file of the set. */
async function served(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const ca = await readFile(secrets('ca.crt'));
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'shop.example' });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber.toLowerCase();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition().catch(() => false)) return;
    await systemClock.sleep(25);
  }
  throw new Error(`it did not happen:\n${agent.output.stderr}`);
}

const sameSerial = (a: string, b: string): boolean => BigInt(`0x${a}`) === BigInt(`0x${b}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  vault = await testVault();
  const key = await generateKeyPair('ec-p256');
  const certificate = await createRoot({ key, ttl: 30 * 86_400_000, now: systemClock.now() });
  root = { certificate, privateKey: key.privateKey };
  await mkdir(join(folder, 'sa'));
  await writeFile(join(folder, 'sa', 'token'), 'a.b.c');
});
afterAll(async () => {
  agent?.child.kill('SIGTERM');
  await agent?.ended;
  server?.close();
  await vault.close();
  await rm(folder, { recursive: true, force: true });
});

test('a rotated certificate is delivered with its key and seen by clients, a wrong pair never', async () => {
  const first = await rotate();
  await writeFile(join(folder, 'config.json'), agentConfiguration());
  await mkdir(join(folder, 'secrets'));
  const written: string[] = [];
  const first3 = watch(join(folder, 'secrets'), (_, name) => written.push(name ?? ''));
  agent = startMeshroot(['agent', `-config=${join(folder, 'config.json')}`]);
  await until(async () => written.includes('tls.crt') && (await readFile(secrets('tls.crt'))).length > 0);
  first3.close();
  const order = [...new Set(written)].filter((name) => /^(tls|ca)\./.test(name));
  expect(order).toEqual(['tls.key', 'ca.crt', 'tls.crt']); // who reads a new certificate finds its key
  server = createServer(files()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const problems: unknown[] = [];
  const watcher = watch(join(folder, 'secrets'), () => {
    try {
      server.setSecureContext(files());
    } catch (error) {
      problems.push(error); // a half-changed pair would end here: "key values mismatch"
    }
  });
  try {
    expect(sameSerial(await served(), first)).toBe(true);
    const second = await rotate();
    await until(async () => sameSerial(await served(), second));

    const good = vault.data[path];
    await rotate({ private_key: String(good?.private_key) });
    const status = async () => JSON.parse(await readFile(secrets('.meshroot-set.json'), 'utf8'));
    await until(async () => (await status()).state === 'refused');
    expect((await status()).refused.reasons[0]).toContain('tls.key is not the key of');
    expect(sameSerial(await served(), second)).toBe(true);

    const third = await rotate();
    await until(async () => sameSerial(await served(), third));
    expect(problems).toEqual([]);
  } finally {
    watcher.close();
  }
});
