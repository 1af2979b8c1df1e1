import { describe, expect, test, vi } from 'vitest';
import type { KubeApi, KubeObject, WatchEvent } from '../kube/api.ts';
import { silentLogger } from '../lib/log.ts';
import { RootConfigMaps } from './ca-root-config-map.ts';

/** As much of an API server as the keeper of the root asks for. */
function fakeCluster() {
  const maps = new Map<string, KubeObject>();
  const handlers: Record<string, (event: WatchEvent) => void> = {};
  const api: Pick<KubeApi, 'get' | 'create' | 'replace' | 'watch'> = {
    get: async (ref) => maps.get(ref.namespace ?? ''),
    create: async (object) => {
      maps.set(object.metadata.namespace ?? '', object);
      return object;
    },
    replace: async (object) => {
      maps.set(object.metadata.namespace ?? '', object);
      return object;
    },
    watch: (type, _options, onEvent, signal) => {
      handlers[type.kind] = onEvent;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    },
  };
  const namespace = (name: string, type: 'ADDED' | 'DELETED' = 'ADDED') =>
    handlers.Namespace?.({ type, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  const told = (type: 'MODIFIED' | 'DELETED', object: KubeObject) => handlers.ConfigMap?.({ type, object });
  return { api, maps, namespace, told };
}

function keeper(rootPem: () => string | undefined) {
  const cluster = fakeCluster();
  const stop = new AbortController();
  const maps = new RootConfigMaps({
    api: cluster.api,
    name: 'istio-ca-root-cert',
    rootPem,
    log: silentLogger,
    signal: stop.signal,
  });
  const done = maps.run();
  return { ...cluster, published: maps, stop, done };
}

describe('the root in every namespace', () => {
  test('old and new namespaces get it, as istiod writes it; some never do', async () => {
    const { maps, namespace, stop, done } = keeper(() => 'ROOT');
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) namespace(name);
    await vi.waitFor(() => expect([...maps.keys()]).toEqual(['default', 'kube-system']));
    expect(maps.get('default')).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace: 'default', labels: { 'istio.io/config': 'true' } },
      data: { 'root-cert.pem': 'ROOT' },
    });
    stop.abort();
    await done;
  });

  test('one that was changed or deleted is put right', async () => {
    const { maps, namespace, told, stop } = keeper(() => 'ROOT');
    namespace('demo');
    await vi.waitFor(() => expect(maps.has('demo')).toBe(true));
    const spoiled = { ...maps.get('demo')!, data: { 'root-cert.pem': 'EVIL' } };
    maps.set('demo', spoiled);
    told('MODIFIED', spoiled);
    await vi.waitFor(() => expect(maps.get('demo')?.data).toEqual({ 'root-cert.pem': 'ROOT' }));
    const gone = maps.get('demo')!;
    maps.delete('demo');
    told('DELETED', gone);
    await vi.waitFor(() => expect(maps.has('demo')).toBe(true));
    stop.abort();
  });

  test('what there is none of is written nowhere, and what was taken away is emptied', async () => {
    let list: string | undefined;
    const { maps, namespace, published, stop } = keeper(() => list);
    namespace('one');
    await published.publish();
    expect(maps.size).toBe(0);
    list = 'CRL';
    await published.publish();
    list = undefined;
    await published.publish();
    expect(maps.get('one')?.data).toEqual({ 'root-cert.pem': '' });
    stop.abort();
  });

  test('a new root is everywhere when publish is done', async () => {
    let root = 'A';
    const { maps, namespace, published, stop } = keeper(() => root);
    namespace('one');
    namespace('two');
    await published.publish();
    root = 'A+B';
    await published.publish();
    expect([...maps.values()].map(({ data }) => data)).toEqual(Array(2).fill({ 'root-cert.pem': 'A+B' }));
    stop.abort();
  });
});
