import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CaFlags } from '../../src/istio/ca-settings.ts';
import { tempFolder } from '../../src/istio/test-mesh.ts';
import { parseCertificate, parseCertificates } from '../../src/x509/certificate.ts';
import { keylessCa } from '../support/keyless-ca.ts';
import { onPath } from '../support/on-path.ts';
import { ownStore } from '../support/own-store.ts';
import { freePorts } from '../support/program.ts';
import { runningCa } from '../support/running-ca.ts';

const agentPath = onPath('pilot-agent');
const shop = 'spiffe://cluster.local/ns/demo/sa/shop';

/** A real pilot-agent without Envoy, in a folder of its own, whose certificates live for `ttl`. */
async function startAgent(address: string, rootPem: string, token: string, ttl: string) {
  const [statusPort = 0] = await freePorts(1);
  const folder = await tempFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  await mkdir(at('var/run/secrets/tokens'), { recursive: true });
  await mkdir(at('var/run/secrets/istio'), { recursive: true });
  await mkdir(at('out'));
  await writeFile(at('var/run/secrets/tokens/istio-token'), token);
  const root = at('var/run/secrets/istio/root-cert.pem');
  await writeFile(root, rootPem);
  const child = spawn(agentPath ?? '', ['proxy', 'sidecar'], {
    cwd: folder.path,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH ?? '',
      DISABLE_ENVOY: 'true',
      CLOUD_PLATFORM: 'none',
      GRPC_XDS_BOOTSTRAP: '',
      CA_ADDR: address.replace('127.0.0.1', 'localhost'),
      CA_ROOT_CA: root,
      XDS_ROOT_CA: root,
      OUTPUT_CERTS: at('out'),
      TRUST_DOMAIN: 'cluster.local',
      POD_NAME: 'p',
      POD_NAMESPACE: 'demo',
      SERVICE_ACCOUNT: 'shop',
      INSTANCE_IP: '127.0.0.1',
      ISTIO_META_CLUSTER_ID: 'cluster1',
      SECRET_TTL: ttl,
      PROXY_CONFIG: JSON.stringify({ discoveryAddress: 'localhost:1', statusPort }),
    },
  });
  const ended = once(child, 'close');
  return {
    out: (name: string) => readFile(at('out', name), 'utf8'),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      await folder.remove();
    },
  };
}

describe.skipIf(agentPath === undefined)('a real pilot-agent (skipped without it on PATH)', () => {
  let store: Awaited<ReturnType<typeof ownStore>>;
  let keyless: Awaited<ReturnType<typeof keylessCa>>;
  beforeAll(async () => {
    store = await ownStore();
    keyless = await keylessCa(store);
    await store.call('POST', 'sys/mounts/transit', { type: 'transit' });
  });
  afterAll(async () => {
    await store.close();
    await keyless.remove();
  });

  test.each<[string, () => Promise<CaFlags>]>([
    ['file', async () => ({})],
    ['vault-pki', () => keyless.pki('pki')],
    ['vault-transit', () => keyless.transit('ca')],
  ])('gets its certificate and renews it, signer %s', async (signer, flags) => {
    const ca = await runningCa({}, await flags());
    const rootPem = signer === 'file' ? ca.root.certificate.pem : keyless.root.certificate.pem;
    const agent = await startAgent(ca.address, rootPem, await ca.token(), '20s');
    try {
      const leaf = async () => {
        const [first] = parseCertificates(await agent.out('cert-chain.pem'));
        expect(first?.sans.uri).toEqual([shop]);
        return first?.serial ?? '';
      };
      const before = await vi.waitFor(leaf, { timeout: 30_000, interval: 100 });
      expect(parseCertificate(await agent.out('root-cert.pem')).pem).toBe(rootPem);
      const renewed = async () => expect(await leaf()).not.toBe(before);
      await vi.waitFor(renewed, { timeout: 60_000, interval: 100 });
    } finally {
      await agent.stop();
      await ca.close();
    }
  });
});
