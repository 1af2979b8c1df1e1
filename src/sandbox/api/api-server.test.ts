import { describe, expect, test } from 'vitest';
import { admin, configMap, dig, pod, testApi } from '../test-api.ts';
import type { ApiReply } from './exchange.ts';
import { StatusError } from './status-error.ts';
import { anonymous } from './user.ts';

const maps = '/api/v1/namespaces/demo/configmaps';

async function refused(
  promise: Promise<unknown>,
): Promise<{ code: number; reason: string | undefined; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatusError)
      return { code: error.code, reason: error.body.reason, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

const body = (reply: ApiReply): Record<string, unknown> => reply.body as Record<string, unknown>;

describe('creating', () => {
  test('fills in metadata and gives each object a later version', async () => {
    const { api } = await testApi();
    const a = await api.create(configMap('a'));
    const b = await api.create(configMap('b'));
    expect(a.metadata).toMatchObject({
      name: 'a',
      namespace: 'demo',
      creationTimestamp: '2026-01-01T00:00:00Z',
    });
    expect(a.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(b.metadata.resourceVersion)).toBeGreaterThan(Number(a.metadata.resourceVersion));
  });
  test('makes a name from generateName', async () => {
    const { api } = await testApi();
    const map = await api.create({ ...configMap(''), metadata: { generateName: 'x-', namespace: 'demo' } });
    expect(map.metadata.name).toMatch(/^x-[a-z0-9]{5}$/);
  });
  test('refuses a taken name, a missing namespace, a foreign kind, a version', async () => {
    const { api } = await testApi();
    await api.create(configMap('a'));
    expect(await refused(api.create(configMap('a')))).toEqual({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "a" already exists',
    });
    expect(
      await refused(api.create({ ...configMap('a'), metadata: { name: 'a', namespace: 'no' } })),
    ).toEqual({
      code: 404,
      reason: 'NotFound',
      message: 'namespaces "no" not found',
    });
    expect(await refused(api.request('POST', maps, { body: pod('x') }))).toMatchObject({ code: 400 });
    const versioned = { ...configMap('b'), metadata: { name: 'b', resourceVersion: '1' } };
    expect((await refused(api.request('POST', maps, { body: versioned }))).message).toBe(
      'resourceVersion should not be set on objects to be created',
    );
  });
  test('with dryRun stores nothing', async () => {
    const { api, store } = await testApi();
    await api.request('POST', maps, { body: configMap('a'), query: { dryRun: 'All' } });
    expect(store.get('configmaps', 'demo', 'a')).toBeUndefined();
  });
  test('says everything that is wrong with a pod', async () => {
    const { api } = await testApi();
    const bad = pod('p', { spec: { containers: [{ name: 'C' }], restartPolicy: 'Sometimes' } });
    const error = await refused(api.create(bad));
    expect(error).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(error.message).toMatch(
      /^Pod "p" is invalid: \[spec.containers\[0\].name: Invalid value: "C": a lowercase RFC 1123 label/,
    );
    expect(error.message).toContain('spec.containers[0].image: Required value');
    expect(error.message).toContain(
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    );
  });
  test('gives a pod its service account, token volume and defaults', async () => {
    const { api } = await testApi();
    const made = await api.create(pod('p'));
    const spec = made.spec;
    const volume = dig(spec, 'volumes.0.name');
    expect(spec).toMatchObject({ serviceAccountName: 'default', restartPolicy: 'Always' });
    expect(volume).toMatch(/^kube-api-access-\w{5}$/);
    expect(dig(spec, 'volumes.0.projected.sources.0')).toEqual({
      serviceAccountToken: { expirationSeconds: 3607, path: 'token' },
    });
    expect(dig(spec, 'containers.0.volumeMounts')).toEqual([
      {
        name: volume,
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ]);
    expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });
  test('refuses a pod whose service account is not there', async () => {
    const { api } = await testApi();
    const spec = { serviceAccountName: 'no', containers: [{ name: 'c', image: 'i' }] };
    expect(await refused(api.create(pod('p', { spec })))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'pods "p" is forbidden: error looking up service account demo/no: serviceaccount "no" not found',
    });
  });
});

describe('changing', () => {
  test('an outdated version is a conflict', async () => {
    const { api } = await testApi();
    const a = await api.create(configMap('a'));
    await api.request('PUT', `${maps}/a`, { body: { ...a, data: { x: '1' } } });
    expect(await refused(api.request('PUT', `${maps}/a`, { body: { ...a, data: { x: '2' } } }))).toEqual({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
  });
  test('that changes nothing keeps the version', async () => {
    const { api } = await testApi();
    const a = await api.create(configMap('a', { x: '1' }));
    const again = await api.request('PUT', `${maps}/a`, { body: configMap('a', { x: '1' }) });
    expect(again.metadata).toEqual(a.metadata);
  });
  test('status is changed by its own endpoint only, and generation counts the rest', async () => {
    const { api } = await testApi();
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
    await api.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'demo' },
      spec,
    });
    const path = '/apis/apps/v1/namespaces/demo/deployments/d';
    const contentType = 'application/merge-patch+json';
    const patch = { spec: { replicas: 2 }, status: { replicas: 7 } };
    const main = await api.request('PATCH', path, { body: patch, contentType });
    expect([main.status, dig(main, 'metadata.generation')]).toEqual([{}, 2]);
    const status = await api.request('PATCH', `${path}/status`, {
      body: { ...patch, spec: { replicas: 3 } },
      contentType,
    });
    expect(status).toMatchObject({
      spec: { replicas: 2 },
      status: { replicas: 7 },
      metadata: { generation: 2 },
    });
  });
  test('a JSON patch that does not fit is 422 with the cause', async () => {
    const { api } = await testApi();
    await api.create(configMap('a'));
    const patch = [{ op: 'remove', path: '/data/x' }];
    const contentType = 'application/json-patch+json';
    const error = await refused(api.request('PATCH', `${maps}/a`, { body: patch, contentType }));
    expect(error).toMatchObject({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    });
  });
  test('an unknown body format is 415 and says what is known', async () => {
    const { send } = await testApi();
    const reply = await send('POST', maps, {
      user: admin,
      headers: { 'content-type': 'application/cbor' },
      body: {},
    });
    expect(reply.status).toBe(415);
    expect(body(reply).message).toContain('application/json, application/yaml');
  });
});

describe('deleting', () => {
  test('removes, or waits for finalizers', async () => {
    const { api, store } = await testApi();
    const held = {
      ...configMap('a'),
      metadata: { name: 'a', namespace: 'demo', finalizers: ['example.com/x'] },
    };
    await api.create(held);
    const marked = await api.request('DELETE', `${maps}/a`);
    expect(dig(marked, 'metadata.deletionTimestamp')).toBe('2026-01-01T00:00:00Z');
    await api.request('PATCH', `${maps}/a`, {
      body: { metadata: { finalizers: null } },
      contentType: 'application/merge-patch+json',
    });
    expect(store.get('configmaps', 'demo', 'a')).toBeUndefined();
    expect(await refused(api.request('DELETE', `${maps}/a`))).toEqual({
      code: 404,
      reason: 'NotFound',
      message: 'configmaps "a" not found',
    });
  });
  test('a running pod waits for its kubelet, then goes with grace 0', async () => {
    const { api, store } = await testApi();
    await api.create(pod('p', { spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } }));
    const path = '/api/v1/namespaces/demo/pods/p';
    const marked = await api.request('DELETE', path);
    expect(marked.metadata).toMatchObject({
      deletionGracePeriodSeconds: 30,
      deletionTimestamp: '2026-01-01T00:00:30Z',
    });
    await api.request('DELETE', path, { body: { gracePeriodSeconds: 0 } });
    expect(store.get('pods', 'demo', 'p')).toBeUndefined();
  });
  test('another object of the name is not deleted by uid', async () => {
    const { api } = await testApi();
    await api.create(configMap('a'));
    const error = await refused(
      api.request('DELETE', `${maps}/a`, { body: { preconditions: { uid: 'other' } } }),
    );
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(error.message).toContain('Precondition failed: UID in precondition: other');
  });
  test('a whole collection by label', async () => {
    const { api, store } = await testApi();
    await api.create({ ...configMap('a'), metadata: { name: 'a', namespace: 'demo', labels: { x: '1' } } });
    await api.create(configMap('b'));
    await api.request('DELETE', maps, { query: { labelSelector: 'x=1' } });
    expect(store.list('configmaps').map((o) => o.metadata.name)).toEqual(['b']);
  });
});

describe('listing', () => {
  test('comes in pages', async () => {
    const { api } = await testApi();
    for (const name of ['a', 'b', 'c']) await api.create(configMap(name));
    const first = await api.request('GET', maps, { query: { limit: '2' } });
    expect(first.metadata).toMatchObject({ remainingItemCount: 1 });
    const token = String(dig(first, 'metadata.continue'));
    const second = await api.request('GET', maps, { query: { limit: '2', continue: token } });
    const names = [first, second].flatMap((l) => (l.items as unknown[]).map((o) => dig(o, 'metadata.name')));
    expect(names).toEqual(['a', 'b', 'c']);
    expect(await refused(api.request('GET', maps, { query: { continue: 'x' } }))).toMatchObject({
      code: 400,
    });
  });
  test('shows tables and partial metadata when asked', async () => {
    const { api, send } = await testApi();
    await api.create(configMap('a', { x: '1', y: '2' }));
    const as = (accept: string) => send('GET', maps, { user: admin, headers: { accept } });
    const table = body(await as('application/json;as=Table;v=v1;g=meta.k8s.io,application/json'));
    expect((table.columnDefinitions as unknown[]).map((c) => dig(c, 'name'))).toEqual([
      'Name',
      'Data',
      'Age',
    ]);
    expect(dig(table, 'rows.0.cells')).toEqual(['a', 2, '0s']);
    const partial = body(
      await as(
        'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      ),
    );
    expect(partial.kind).toBe('PartialObjectMetadataList');
    expect(dig(partial, 'items.0.data')).toBeUndefined();
  });
  test('from a later version than there is says to wait', async () => {
    const { api } = await testApi();
    expect(await refused(api.request('GET', maps, { query: { resourceVersion: '99999' } }))).toMatchObject({
      code: 504,
      reason: 'Timeout',
    });
  });
});

describe('who may', () => {
  const user = { username: 'u', groups: ['system:authenticated'] };
  test('an unbound user may not, in the words of a real API server', async () => {
    const { as } = await testApi();
    expect(await refused(as(user).request('GET', '/api/v1/namespaces/x/pods'))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "x"',
    });
    expect(
      (await refused(as(user).request('DELETE', '/apis/apps/v1/namespaces/x/deployments/d'))).message,
    ).toBe(
      'deployments.apps "d" is forbidden: User "u" cannot delete resource "deployments" in API group "apps" in the namespace "x"',
    );
    expect((await refused(as(user).request('GET', '/api/v1/nodes'))).message).toContain(
      'at the cluster scope',
    );
  });
  test('anonymous sees health and version only', async () => {
    const { send } = await testApi();
    expect((await send('GET', '/healthz')).body).toBe('ok');
    expect((await send('GET', '/version')).status).toBe(200);
    const reply = await send('GET', '/api/v1/namespaces/demo/pods');
    expect([reply.status, body(reply).message]).toEqual([
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "demo"',
    ]);
    expect(anonymous.username).toBe('system:anonymous');
  });
  test('a bad token is 401, never anonymous', async () => {
    const { send } = await testApi();
    const reply = await send('GET', '/version', { headers: { authorization: 'Bearer nonsense' } });
    expect(reply.status).toBe(401);
    expect(body(reply)).toMatchObject({ kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' });
  });
  test('may not speak as another without the right to', async () => {
    const { send } = await testApi();
    const reply = await send('GET', '/version', {
      headers: { authorization: 'Bearer x', 'impersonate-user': 'admin' },
    });
    expect(reply.status).toBe(401);
  });
});

describe('paths', () => {
  test('that are not served are 404 without a name', async () => {
    const { send } = await testApi();
    for (const path of [
      '/apis/example.com/v1/things',
      '/api/v1/namespaces/demo/pods/x/exec',
      '/nope',
      '/apis/apps/v2',
    ]) {
      const reply = await send('GET', path, { user: admin });
      expect([path, reply.status]).toEqual([path, 404]);
      expect(body(reply).message).toBe('the server could not find the requested resource');
    }
  });
  test('of discovery come in both forms', async () => {
    const { send } = await testApi();
    expect(body(await send('GET', '/apis', { user: admin })).kind).toBe('APIGroupList');
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const reply = await send('GET', '/api', { user: admin, headers: { accept } });
    expect(body(reply).kind).toBe('APIGroupDiscoveryList');
    expect(reply.contentType).toContain('as=APIGroupDiscoveryList');
  });
});
