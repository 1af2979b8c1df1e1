import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMapLabel } from '../../../src/injector/config-map-writer.ts';
import { injectorManifests } from '../../../src/injector/manifests.ts';
import { sweepConfigMaps } from '../../../src/injector/sweep-config-maps.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { startUp, type Up } from '../../../src/up/run.ts';
import { Steps } from '../../../src/up/steps.ts';
import type { RunningCluster } from '../../../src/up/system.ts';
import { readyPod } from '../../../src/up/wait.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';

/** A cluster whose injector has a policy, writes Events and ConfigMaps and fails closed for istiod alone. */

const policy = `
rules:
  - {namespaces: [istio-system], roles: [istiod], images: ["hashicorp/vault:*"], skipVerify: false}
  - {namespaces: [demo], roles: [app-*]}
`;
const V = 'vault.hashicorp.com/';

describe('what the injector does on request', () => {
  const base = mkdtempSync(join(tmpdir(), 'opt-ins-'));
  let up: Up;
  let cluster: RunningCluster;
  const signal = AbortSignal.timeout(100_000);

  beforeAll(async () => {
    const quiet = new Steps(new Writable({ write: (_chunk, _encoding, done) => done() }), systemClock, true);
    const dir = join(base, 'd');
    const none = { keepDir: true, once: true, keyType: undefined, portBase: 0, with: new Map() } as const;
    up = await startUp(
      { dir, clusters: 1, ...none },
      {
        steps: quiet,
        signal,
        parts: {
          injector: (mesh, { injector, name }) => {
            const listen = injector?.listen ?? '';
            return injectorManifests({
              vaultAddress: mesh.vault.address,
              authPath: `auth/kubernetes-${name}`,
              cluster: name,
              port: Number(listen.split(':').at(-1)),
              env: { AGENT_INJECT_LISTEN: listen },
              failClosed: ['istio-system'],
              events: true,
              configMaps: true,
              policy,
            });
          },
        },
      },
    );
    const [first] = up.system.clusters;
    if (first === undefined) throw new Error('no cluster');
    cluster = first;
  });
  afterAll(async () => {
    await up?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  test('istiod gets its CA from a native sidecar, which is ready before it starts', async () => {
    const { kube } = cluster;
    const annotations = {
      'meshroot.io/native-sidecar': 'true',
      'meshroot.io/seccomp-profile': 'RuntimeDefault',
      'meshroot.io/tmpfs-size-limit': '1Mi',
      // more than belongs into a pod
      [`${V}agent-inject-template-long`]: `{{/* ${'x'.repeat(110_000)} */}}done`,
    };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'istiod',
      namespace: 'istio-system',
    };
    // both would listen on the same ports of this machine: the old one goes first
    await kube.patch(deployment, { spec: { replicas: 0, template: { metadata: { annotations } } } }, 'merge');
    const running = () =>
      kube.list(
        { apiVersion: 'v1', kind: 'Pod' },
        { namespace: 'istio-system', labelSelector: 'app=istiod' },
      );
    while ((await running()).length > 0) await systemClock.sleep(50, signal);
    await kube.patch(deployment, { spec: { replicas: 1 } }, 'merge');
    const pod = await readyPod(kube, { namespace: 'istio-system', app: 'istiod' }, signal);
    expect(pod.spec).toMatchObject({
      initContainers: [{ name: 'vault-agent', restartPolicy: 'Always', startupProbe: { periodSeconds: 1 } }],
      containers: [{ name: 'discovery' }],
    });
    expect(JSON.stringify(pod.spec)).not.toContain('VAULT_CONFIG');
    expect(pod.status).toMatchObject({
      initContainerStatuses: [{ name: 'vault-agent', started: true, ready: true }],
    });
    const folder = await cluster.hostPath({
      namespace: 'istio-system',
      app: 'istiod',
      container: 'discovery',
      mountPath: '/vault/secrets',
    });
    expect(parseCertificate(readFileSync(join(folder, 'ca-cert.pem'))).isCa).toBe(true);
    expect(readFileSync(join(folder, 'long'), 'utf8')).toBe('done');
  });

  test('the ConfigMap of its configuration stays as long as it runs, and goes after it', async () => {
    const { kube } = cluster;
    const maps = () =>
      kube.list(
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { namespace: 'istio-system', labelSelector: `${configMapLabel}=true` },
      );
    const [map] = await maps();
    expect(map).toMatchObject({ immutable: true, data: { 'config.json': expect.stringContaining('xxxx') } });
    const clock = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
    await sweepConfigMaps({ kube, clock, log: silentLogger });
    expect(await maps()).toHaveLength(1);
    const [pod] = await kube.list(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace: 'istio-system', labelSelector: 'app=istiod' },
    );
    const ref = { apiVersion: 'v1', kind: 'Pod', name: pod?.metadata.name ?? '', namespace: 'istio-system' };
    await kube.patch(ref, { metadata: { annotations: { 'meshroot.io/agent-config-map': null } } }, 'merge');
    await sweepConfigMaps({ kube, clock, log: silentLogger });
    expect(await maps()).toEqual([]);
  });

  test('a dry run writes no ConfigMap', async () => {
    const { kube } = cluster;
    const annotations = {
      [`${V}agent-inject`]: 'true',
      [`${V}role`]: 'app-x',
      'meshroot.io/config-map': 'true',
    };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'dry', namespace: 'demo', annotations },
      spec: { containers: [{ name: 'a', image: 'meshroot/workload:1' }] },
    };
    const made = await kube.create(pod, { dryRun: true });
    const name = made.metadata.annotations?.['meshroot.io/agent-config-map'] ?? '';
    expect(name).toMatch(/^meshroot-agent-config-/);
    const map = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'demo' };
    expect(await kube.get(map)).toBeUndefined();
  });

  test('a pod that the policy refuses is not created, and an Event says why', async () => {
    const { kube } = cluster;
    const annotations = { [`${V}agent-inject`]: 'true', [`${V}role`]: 'istiod' };
    const created = kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'greedy', namespace: 'demo', annotations },
      spec: { containers: [{ name: 'a', image: 'meshroot/workload:1' }] },
    });
    const reason =
      'namespace demo may not use role "istiod" (allowed: app-* (rule 2 of the policy of the injector)';
    await expect(created).rejects.toThrow(reason);
    const type = { apiVersion: 'v1', kind: 'Event' };
    const refusals = async () =>
      (await kube.list(type, { namespace: 'demo' })).filter((event) => event.reason === 'InjectionRefused');
    while ((await refusals()).length === 0) await systemClock.sleep(50, signal);
    expect(await refusals()).toMatchObject([
      {
        type: 'Warning',
        involvedObject: { kind: 'Pod', name: 'greedy' },
        message: expect.stringContaining(reason),
      },
    ]);
  });

  test('without an injector pods start as they are, where it does not fail closed', async () => {
    const { kube } = cluster;
    const name = 'vault-agent-injector';
    await kube.patch(
      { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace: 'vault' },
      { spec: { replicas: 0 } },
      'merge',
    );
    const pods = () => kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'vault' });
    while ((await pods()).length > 0) await systemClock.sleep(50, signal);
    const asking = (namespace: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'asking',
        namespace,
        annotations: { [`${V}agent-inject`]: 'true', [`${V}role`]: 'app-x' },
      },
      spec: { containers: [{ name: 'a', image: 'meshroot/workload:1' }] },
    });
    await expect(kube.create(asking('istio-system'))).rejects.toThrow(/vault\.hashicorp\.com/);
    const started = await kube.create(asking('demo'));
    expect(started.spec).not.toHaveProperty('initContainers');
  });
});
