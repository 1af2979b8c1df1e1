import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import type { ApiObject, Fields } from '../api/fields.ts';
import { configMap, dig, pod, type TestApi, testApi } from '../test-api.ts';
import { startControllers } from './start-controllers.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function cluster(): Promise<TestApi> {
  const t = await testApi();
  const { store, api, clock, tokens } = t;
  stops.push(startControllers({ store, api, clock, log: silentLogger }, tokens, 'CA PEM'));
  return t;
}

/** Resolves when the store is as `check` wants it; looks again at every change. */
function eventually<T>(t: TestApi, check: () => T | undefined | false): Promise<T> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = check();
      if (found === undefined || found === false) return;
      stop();
      resolve(found);
    };
    const stop = t.store.subscribe('*', look);
    queueMicrotask(look);
  });
}

const get = (t: TestApi, resource: string, name: string): ApiObject | undefined =>
  t.store.get(resource, 'demo', name);
const running = (t: TestApi): ApiObject[] =>
  t.store.list('pods', 'demo').filter((p) => p.metadata.deletionTimestamp === undefined);

const deployment = (more: Fields = {}): Parameters<TestApi['api']['create']>[0] => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'demo' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'example/c:1' }] },
    },
    ...more,
  },
});

async function makeReady(t: TestApi, one: ApiObject): Promise<void> {
  const conditions = [{ type: 'Ready', status: 'True' }];
  await t.api.request('PATCH', `/api/v1/namespaces/demo/pods/${one.metadata.name}/status`, {
    contentType: 'application/merge-patch+json',
    body: { status: { phase: 'Running', podIP: '127.0.0.1', conditions } },
  });
}

describe('the controllers', () => {
  test('give a new namespace its account and the CA, and mend the CA', async () => {
    const t = await cluster();
    await t.api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } });
    await eventually(t, () => t.store.get('serviceaccounts', 'new', 'default'));
    await eventually(t, () => t.store.get('configmaps', 'new', 'kube-root-ca.crt'));
    await t.api.request('PATCH', '/api/v1/namespaces/new/configmaps/kube-root-ca.crt', {
      contentType: 'application/merge-patch+json',
      body: { data: { 'ca.crt': 'other' } },
    });
    const mended = await eventually(t, () => {
      const map = t.store.get('configmaps', 'new', 'kube-root-ca.crt');
      return (map?.data as Record<string, string> | undefined)?.['ca.crt'] === 'CA PEM' && map;
    });
    expect(mended.metadata.name).toBe('kube-root-ca.crt');
  });

  test('fill a token Secret, whose token ends with it', async () => {
    const t = await cluster();
    await t.api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'demo',
        annotations: { 'kubernetes.io/service-account.name': 'default' },
      },
      type: 'kubernetes.io/service-account-token',
    });
    const encoded = await eventually(
      t,
      () => dig(get(t, 'secrets', 's'), 'data.token') as string | undefined,
    );
    const token = Buffer.from(encoded, 'base64').toString();
    const ask = () => t.tokens.verify(token, ['https://kubernetes.default.svc']);
    expect((await ask()).user.username).toBe('system:serviceaccount:demo:default');
    await t.api.request('DELETE', '/api/v1/namespaces/demo/secrets/s');
    await expect(ask()).rejects.toThrow('service account token has been invalidated');
  });

  test('remove token Secrets with their account', async () => {
    const t = await cluster();
    await t.api.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'gone', namespace: 'demo' },
    });
    await t.api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'demo',
        annotations: { 'kubernetes.io/service-account.name': 'gone' },
      },
      type: 'kubernetes.io/service-account-token',
    });
    await eventually(t, () => dig(get(t, 'secrets', 's'), 'data.token'));
    await t.api.request('DELETE', '/api/v1/namespaces/demo/serviceaccounts/gone');
    await eventually(t, () => get(t, 'secrets', 's') === undefined);
  });

  test('roll a deployment out, and over to a new template', async () => {
    const t = await cluster();
    await t.api.create(deployment());
    await eventually(t, () => running(t).length === 2);
    for (const one of running(t)) await makeReady(t, one);
    await eventually(t, () => dig(get(t, 'deployments.apps', 'web'), 'status.availableReplicas') === 2);
    const old = running(t).map((p) => p.metadata.name);
    const container = { name: 'c', image: 'example/c:2' };
    await t.api.request('PATCH', '/apis/apps/v1/namespaces/demo/deployments/web', {
      contentType: 'application/merge-patch+json',
      body: { spec: { template: { spec: { containers: [container] } } } },
    });
    const stop = t.store.subscribe('pods', ({ type, object }) => {
      if (type === 'ADDED') void makeReady(t, object);
    });
    await eventually(
      t,
      () => running(t).length === 2 && running(t).every((p) => !old.includes(p.metadata.name)),
    );
    stop();
    expect(dig(get(t, 'deployments.apps', 'web'), 'metadata.annotations')).toEqual({
      'deployment.kubernetes.io/revision': '2',
    });
  });

  test('say why a pod cannot be created, and try again', async () => {
    const t = await cluster();
    const spec = { serviceAccountName: 'late', containers: [{ name: 'c', image: 'example/c:1' }] };
    const template = { metadata: { labels: { app: 'web' } }, spec };
    await t.api.create(deployment({ template }));
    const event = await eventually(t, () =>
      t.store.list('events', 'demo').find((e) => e.reason === 'FailedCreate'),
    );
    expect(event.message).toContain(
      'error looking up service account demo/late: serviceaccount "late" not found',
    );
    await t.api.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'late', namespace: 'demo' },
    });
    await eventually(t, () => running(t).length === 2);
  });

  test('collect what a deleted owner leaves, or leave it when told to', async () => {
    const t = await cluster();
    const remove = async (propagationPolicy: string): Promise<void> => {
      const owner = await t.api.create(configMap('owner'));
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' };
      await t.api.create({
        ...configMap('owned'),
        metadata: { name: 'owned', namespace: 'demo', ownerReferences: [reference] },
      });
      await t.api.request('DELETE', '/api/v1/namespaces/demo/configmaps/owner', {
        body: { propagationPolicy },
      });
      await eventually(t, () => get(t, 'configmaps', 'owner') === undefined);
    };
    for (const policy of ['Background', 'Foreground']) {
      await remove(policy);
      await eventually(t, () => get(t, 'configmaps', 'owned') === undefined);
    }
    await remove('Orphan');
    expect(get(t, 'configmaps', 'owned')?.metadata.ownerReferences).toEqual([]);
  });

  test('give a pod to a ready node, and a service its endpoints', async () => {
    const t = await cluster();
    await t.api.create({ ...pod('p'), metadata: { name: 'p', namespace: 'demo', labels: { app: 'web' } } });
    await eventually(t, () => t.store.list('events', 'demo').find((e) => e.reason === 'FailedScheduling'));
    await t.api.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await eventually(t, () => dig(get(t, 'pods', 'p'), 'spec.nodeName') === 'n');
    await t.api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'demo' },
      spec: { selector: { app: 'web' }, ports: [{ port: 443, targetPort: 8443 }] },
    });
    await makeReady(t, pod('p'));
    const subsets = await eventually(t, () => {
      const found = get(t, 'endpoints', 'web')?.subsets as Fields[] | undefined;
      return dig(found, '0.addresses') !== undefined && found;
    });
    expect(subsets).toMatchObject([
      { addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 8443, protocol: 'TCP' }] },
    ]);
  });

  test('empty a namespace before it goes, and let nothing new in', async () => {
    const t = await cluster();
    await t.api.create({
      ...configMap('held'),
      metadata: { name: 'held', namespace: 'demo', finalizers: ['example.com/x'] },
    });
    await t.api.request('DELETE', '/api/v1/namespaces/demo');
    await expect(t.api.create(configMap('late'))).rejects.toThrow(
      'configmaps "late" is forbidden: unable to create new content in namespace demo because it is being terminated',
    );
    await eventually(t, () => t.store.list('serviceaccounts', 'demo').length === 0);
    expect(t.store.get('namespaces', '', 'demo')).toBeDefined();
    await t.api.request('PATCH', '/api/v1/namespaces/demo/configmaps/held', {
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    await eventually(t, () => t.store.get('namespaces', '', 'demo') === undefined);
  });
});
