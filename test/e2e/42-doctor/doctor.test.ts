import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caSettings } from '../../../src/istio/ca-settings.ts';
import { testIssuer, tokenIssuer } from '../../../src/istio/test-mesh.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { runCa } from '../../../src/server/ca-run.ts';
import { istioLogger } from '../../../src/server/istio-log.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

const entry = 'kubernetes-eu-secrets/istiod-service/certs';
const fileNames = { ca_key: 'ca-key', ca_cert: 'ca-cert', cert_chain: 'cert-chain', root_cert: 'root-cert' };

/** A CA on the stored bundle; its tokens are reviewed by cluster eu, or by somebody else's keys. */
async function startCa(world: MeshWorld, more: { kubeconfig: string } | { jwks: string; issuer: string }) {
  const folder = join(world.dir, 'bundle');
  mkdirSync(folder, { recursive: true });
  const data = (await world.vault.read(entry))?.data ?? {};
  for (const [key, file] of Object.entries(fileNames))
    writeFileSync(join(folder, `${file}.pem`), String(data[key]));
  const own = { rootCaDir: folder, listen: '127.0.0.1:0', metrics: '127.0.0.1:0', cluster: 'eu' };
  const settings = caSettings({ ...own, ...more }, {});
  const stop = new AbortController();
  const log = istioLogger(new PassThrough().resume(), systemClock);
  let done: Promise<void> = Promise.resolve();
  const ports = await new Promise<{ ca: number }>((onReady, reject) => {
    done = runCa({ settings, env: {}, clock: systemClock, log, signal: stop.signal, onReady });
    done.catch(reject);
  });
  const close = async () => {
    stop.abort();
    await done;
  };
  return { address: `127.0.0.1:${ports.ca}`, close };
}

interface Report {
  readonly clusters: readonly {
    readonly hops: readonly { name: string; state: string; detail: string; fix?: string }[];
  }[];
}

interface Break {
  readonly hop: string;
  /** How it is broken. @returns what mends it */
  arrange(world: MeshWorld): Promise<() => Promise<unknown>>;
  readonly says: RegExp;
  readonly fix: RegExp;
}

const account = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'istiod', namespace: 'istio-system' };
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod', namespace: 'istio-system' };
const rbac = 'rbac.authorization.k8s.io/v1';
const binding = { apiVersion: rbac, kind: 'ClusterRoleBinding', name: 'role-tokenreview-binding' };

const nothing = async (): Promise<void> => {};
const applied = (world: MeshWorld) => async () =>
  expect((await runHere(['apply', '--yes', '-f', join(world.dir, 'mesh.yaml')], world.env)).code).toBe(0);

/** Changes a file of the world for a while. */
async function edited(world: MeshWorld, name: string, change: (text: string) => string) {
  const path = join(world.dir, name);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, change(text));
  return async () => writeFileSync(path, text);
}

const dead = 'https://127.0.0.1:9';

const breaks: readonly Break[] = [
  {
    hop: 'api server',
    arrange: (world) =>
      edited(world, 'eu.kubeconfig', (text) => text.replace(/server: \S+/, `server: ${dead}`)),
    says: /no answer from the API server https:\/\/127\.0\.0\.1:9/,
    fix: /is the cluster running/,
  },
  {
    hop: 'service account',
    arrange: async (world) => {
      await world.kubes.get('eu')?.delete(account);
      return applied(world);
    },
    says: /no service account istio-system\/istiod/,
    fix: /meshroot apply/,
  },
  {
    hop: 'token',
    arrange: async (world) => {
      const kube = world.kubes.get('eu');
      const [name, namespace] = ['looker', 'default'];
      const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }];
      const metadata = { name };
      await kube?.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
      await kube?.create({ apiVersion: rbac, kind: 'ClusterRole', metadata, rules });
      await kube?.create({
        apiVersion: rbac,
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      });
      const token = (await kube?.tokenRequest(namespace, name, { expirationSeconds: 600 }))?.token.reveal();
      return edited(world, 'eu.kubeconfig', (text) =>
        text.replace(/client-certificate-data: \S+/, `token: ${token}`).replace(/client-key-data: \S+/, ''),
      );
    },
    says: /cannot create resource "serviceaccounts\/token"/,
    fix: /kubectl auth can-i/,
  },
  {
    hop: 'vault',
    arrange: (world) =>
      edited(world, 'mesh.yaml', (text) => text.replace(world.vaultAddress, 'http://127.0.0.1:9')),
    says: /no answer from the vault at http:\/\/127\.0\.0\.1:9/,
    fix: /is it running/,
  },
  {
    hop: 'vault',
    arrange: async (world) => {
      await world.vault.write('sys/seal');
      const key = readFileSync(join(world.dir, 'state', 'unseal-key'), 'utf8').trim();
      return () => world.vault.write('sys/unseal', { key });
    },
    says: /is sealed/,
    fix: /vault operator unseal/,
  },
  {
    hop: 'auth mount',
    arrange: async (world) => {
      await world.vault.delete('sys/auth/kubernetes-eu');
      return applied(world);
    },
    says: /auth\/kubernetes-eu is not there/,
    fix: /meshroot apply/,
  },
  {
    hop: 'auth config',
    arrange: async (world) => {
      const kubernetes_ca_cert = await world.kubes.get('eu')?.authority();
      const config = { kubernetes_host: dead, kubernetes_ca_cert, disable_local_ca_jwt: true };
      await world.vault.write('auth/kubernetes-eu/config', config);
      return applied(world);
    },
    says: /not as wanted: - https:\/\/127\.0\.0\.1:9/,
    fix: /meshroot plan/,
  },
  {
    hop: 'role',
    arrange: async (world) => {
      await world.vault.delete('auth/kubernetes-eu/role/istiod');
      return applied(world);
    },
    says: /role istiod is not there/,
    fix: /meshroot apply/,
  },
  {
    hop: 'login',
    arrange: async (world) => {
      await world.kubes.get('eu')?.delete(binding);
      return applied(world);
    },
    says: /may not ask for a TokenReview/,
    fix: /system:auth-delegator/,
  },
  {
    hop: 'policy',
    arrange: async (world) => {
      await world.vault.delete('sys/policies/acl/istiod-certs-eu');
      return applied(world);
    },
    says: /istiod-certs-eu does not let the role read/,
    fix: /meshroot apply/,
  },
  {
    hop: 'read',
    arrange: async (world) => {
      const data = (await world.vault.read(entry))?.data ?? {};
      await world.vault.delete(entry);
      return () => world.vault.write(entry, data);
    },
    says: /nothing at kubernetes-eu-secrets/,
    fix: /meshroot apply/,
  },
  {
    hop: 'bundle',
    arrange: async (world) => {
      const data = (await world.vault.read(entry))?.data ?? {};
      const other = (await world.vault.read('kubernetes-us-secrets/istiod-service/certs'))?.data ?? {};
      await world.vault.write(entry, { ...data, ca_key: other.ca_key });
      return () => world.vault.write(entry, data);
    },
    says: /key/,
    fix: /meshroot rotate intermediate eu/,
  },
  {
    hop: 'annotation',
    arrange: async (world) => {
      const metadata = { name: 'istiod', namespace: 'istio-system' };
      const labels = { app: 'istiod' };
      await world.kubes.get('eu')?.create({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: 'discovery', image: 'istio/pilot' }] },
          },
        },
      });
      return nothing; // the next one goes on with it
    },
    says: /do not carry vault\.hashicorp\.com\/agent-inject/,
    fix: /podAnnotations/,
  },
  {
    hop: 'injector',
    arrange: async (world) => {
      const annotations = { 'vault.hashicorp.com/agent-inject': 'true' };
      const patch = { spec: { template: { metadata: { annotations } } } };
      await world.kubes.get('eu')?.patch(deployment, patch, 'merge');
      return async () => world.kubes.get('eu')?.delete(deployment);
    },
    says: /no webhook of an injector/,
    fix: /charts\/meshroot/,
  },
  {
    hop: 'istiod',
    arrange: (world) =>
      edited(world, 'mesh.yaml', (text) => text.replace(/address: 127\.0\.0\.1:\d+/, 'address: 127.0.0.1:9')),
    says: /127\.0\.0\.1:9 does not answer/,
    fix: /istiod\.address/,
  },
  {
    hop: 'workload',
    arrange: async (world) => {
      const keys = join(world.dir, 'jwks.json');
      writeFileSync(keys, (await tokenIssuer()).jwks);
      const ca = await startCa(world, { jwks: keys, issuer: testIssuer });
      const mend = await edited(world, 'mesh.yaml', (text) =>
        text.replace(/address: 127\.0\.0\.1:\d+/, `address: ${ca.address}`),
      );
      return async () => {
        await mend();
        await ca.close();
      };
    },
    says: /authenticat/i,
    fix: /may it review tokens/,
  },
];

describe('doctor', () => {
  let world: MeshWorld;
  let ca: Awaited<ReturnType<typeof startCa>>;
  const doctor = (...args: string[]) =>
    runHere(['doctor', '-f', join(world.dir, 'mesh.yaml'), ...args], world.env);

  beforeAll(async () => {
    world = await startMeshWorld();
    world.meshFile('mesh.yaml');
    await applied(world)();
    ca = await startCa(world, { kubeconfig: join(world.dir, 'eu.kubeconfig') });
    const istiod = `eu.kubeconfig\n    istiod: { address: ${ca.address} }\n`;
    await edited(world, 'mesh.yaml', (text) => text.replace('eu.kubeconfig\n', istiod));
  });
  afterAll(async () => {
    await ca?.close();
    await world?.stop();
  });

  test('walks every link of a mesh that is well, for a cluster or for all, and writes nothing', async () => {
    const { code, stdout } = await doctor();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/eu\n {2}ok +api server[\s\S]*us\n/)]);
    expect(stdout).toMatch(/ok +workload +spiffe:\/\/cluster\.local\/ns\/istio-system\/sa\/istiod in hand/);
    expect((await doctor('nobody')).stderr).toMatch(/nobody/);
    expect((await runHere(['plan', '-f', join(world.dir, 'mesh.yaml')], world.env)).code).toBe(0);
  });

  test('says 2 when a token may not look at a link and the others hold', async () => {
    await world.vault.write('sys/policies/acl/narrow', {
      policy: 'path "sys/health" { capabilities = ["read"] }',
    });
    const narrow = await world.vault.write('auth/token/create', { policies: ['narrow'] });
    const env = { VAULT_TOKEN: String(narrow?.auth?.client_token) };
    const { code, stdout } = await runHere(['doctor', 'eu', '-f', join(world.dir, 'mesh.yaml')], env);
    expect([code, stdout]).toEqual([
      2,
      expect.stringMatching(/\? +auth config +permission denied[\s\S]*ok +login/),
    ]);
  });

  test.each(breaks)('names the broken link: $hop, $says', async ({ hop, arrange, says, fix }) => {
    const mend = await arrange(world);
    const { code, stdout } = await doctor('eu', '--json');
    await mend();
    const hops = (JSON.parse(stdout) as Report).clusters[0]?.hops ?? [];
    const found = hops.filter(({ state }) => state === 'broken');
    expect(found).toEqual([
      { name: hop, state: 'broken', detail: expect.stringMatching(says), fix: expect.stringMatching(fix) },
    ]);
    expect(code).toBe(1);
  });
});
