import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { injectorObjects } from '../../../src/cli/injector-objects.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { issueBundle } from '../../../src/rotation/issue-bundle.ts';
import { readBundle, writeBundle } from '../../../src/rotation/kv-bundle.ts';
import { allChecks } from '../../../src/up/checks/all.ts';
import { runCheck } from '../../../src/up/checks/check.ts';
import { rotationKeepsHandshakes } from '../../../src/up/checks/life.ts';
import { startUp, type Up } from '../../../src/up/run.ts';
import { Steps } from '../../../src/up/steps.ts';
import type { RunningSystem } from '../../../src/up/system.ts';
import { readyPod } from '../../../src/up/wait.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';

const quiet = new Steps(new Writable({ write: (_chunk, _encoding, done) => done() }), systemClock, true);
const path = (cluster: string) => `kubernetes-${cluster}-secrets/istiod-service/certs`;

describe('each check can fail', () => {
  const base = mkdtempSync(join(tmpdir(), 'up-breaks-'));
  let up: Up;
  let system: RunningSystem;

  beforeAll(async () => {
    const options = {
      dir: join(base, 'd'),
      keepDir: true,
      once: true,
      clusters: 2,
      keyType: undefined,
      portBase: 0,
      with: new Map(),
    } as const;
    const signal = new AbortController().signal;
    up = await startUp(options, { steps: quiet, signal, parts: { injector: injectorObjects } });
    system = { ...up.system, patience: 6000 };
  });
  afterAll(async () => {
    await up?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  /** Names of the checks that fail now; those that change the system (restart, rotation) run only when asked for. */
  async function failing(...also: string[]): Promise<string[]> {
    const changing = ['restart-keeps-root', 'rotation-keeps-handshakes'];
    const failed: string[] = [];
    for (const check of allChecks.filter(({ name }) => !changing.includes(name) || also.includes(name))) {
      const result = await runCheck(check, system);
      if (!result.ok) failed.push(result.name);
    }
    return failed;
  }

  const policy = (cluster: string, text: string) =>
    system.store.client.write(`sys/policies/acl/istiod-certs-${cluster}`, { policy: text });
  const readOnly = (...clusters: string[]) =>
    clusters.map((name) => `path "${path(name)}" {\n  capabilities = ["read"]\n}\n`).join('');

  test('nothing is broken at first', async () => {
    expect(await failing()).toEqual([]);
  });

  test('a policy that is too wide: the other cluster can be read', async () => {
    await policy('cluster1', readOnly('cluster1', 'cluster2'));
    expect(await failing()).toEqual(['cross-cluster-read-denied']);
    await policy('cluster1', readOnly('cluster1'));
    expect(await failing()).toEqual([]);
  });

  test("a policy with the other cluster's path: the own bundle cannot be read, and a rotation is never delivered", async () => {
    await policy('cluster1', readOnly('cluster2'));
    expect(await failing()).toEqual(['cross-cluster-read-denied']);
    const rotation = await runCheck(rotationKeepsHandshakes, system);
    expect(rotation).toMatchObject({ name: 'rotation-keeps-handshakes', ok: false });
    await policy('cluster1', readOnly('cluster1'));
    expect(await runCheck(rotationKeepsHandshakes, { ...system, patience: 30_000 })).toMatchObject({
      ok: true,
    });
    expect(await failing()).toEqual([]); // the unfinished rotation was carried on to its end
  });

  test('a role that takes any service account: the wrong one gets in', async () => {
    const role = 'auth/kubernetes-cluster2/role/istiod';
    const write = (names: string, namespaces: string) =>
      system.store.client.write(role, {
        bound_service_account_names: names,
        bound_service_account_namespaces: namespaces,
        token_policies: 'istiod-certs-cluster2',
        token_ttl: '1h',
      });
    await write('*', '*');
    expect(await failing()).toEqual(['wrong-service-account-denied']);
    await write('istiod', 'istio-system');
    expect(await failing()).toEqual([]);
  });

  test("a swapped key: Vault holds cluster1's certificate with cluster2's key, istiod keeps the last good set", async () => {
    const [own, other] = [await bundleOf('cluster1'), await bundleOf('cluster2')];
    await writeBundle(system.store.client, path('cluster1'), { ...own, caKey: other.caKey });
    expect(await failing()).toEqual(['bundle-verifies']);
    await writeBundle(system.store.client, path('cluster1'), own);
    expect(await failing()).toEqual([]);
  });

  test('an expired intermediate in Vault is found, istiod keeps the last good one', async () => {
    const own = await bundleOf('cluster2');
    const short = await issueBundle({
      vault: system.store.client,
      rootMount: system.mesh.root.mount,
      name: 'cluster2',
      keyType: 'ec-p256',
      ttl: 1000,
      now: systemClock.now(),
    });
    await systemClock.sleep(Math.max(0, parseCertificate(short.caCert).notAfter - systemClock.now()) + 1000);
    await writeBundle(system.store.client, path('cluster2'), short);
    expect(await failing()).toEqual(['bundle-verifies']);
    await writeBundle(system.store.client, path('cluster2'), own);
    expect(await failing()).toEqual([]);
  });

  test('no injector: a new istiod is refused, not started without its bundle', async () => {
    const kube = system.clusters[0]!.kube;
    await kube.patch(injectorOf(), { spec: { replicas: 0 } }, 'merge');
    await gone(system.clusters[0]!.kube);
    expect(await failing('restart-keeps-root')).toEqual(['restart-keeps-root']);
    await kube.patch(injectorOf(), { spec: { replicas: 1 } }, 'merge');
    await readyPod(kube, { namespace: 'istio-system', app: 'istiod' }, AbortSignal.timeout(60_000));
    expect(await failing()).toEqual([]);
  });

  test('the root replaced: the bundles hang from another one', async () => {
    const mount = system.mesh.root.mount;
    await system.store.client.delete(`${mount}/root`);
    await system.store.client.write(`${mount}/root/generate/internal`, {
      common_name: 'Root CA',
      organization: 'Istio',
      key_type: 'ec',
      key_bits: 384,
      ttl: '87600h',
    });
    expect(await failing()).toEqual(['bundle-verifies']);
  });

  async function bundleOf(cluster: string) {
    const bundle = await readBundle(system.store.client, path(cluster));
    if (bundle === undefined) throw new Error(`${cluster} has no bundle`);
    return bundle;
  }
});

const injectorOf = () => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'vault-agent-injector',
  namespace: 'vault',
});

/** Until the injector has no pod any more. */
async function gone(kube: RunningSystem['clusters'][number]['kube']): Promise<void> {
  const until = systemClock.now() + 15_000;
  while ((await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'vault' })).length > 0) {
    if (systemClock.now() > until) throw new Error('the injector does not end');
    await systemClock.sleep(50);
  }
}
