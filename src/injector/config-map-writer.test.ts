import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../kube/api.ts';
import { KubeError } from '../kube/errors.ts';
import { ConfigMapWriter } from './config-map-writer.ts';

const config = { name: 'meshroot-agent-config-1', data: { 'config.json': '{}' } };
const exists = new KubeError('kube-already-exists', 'configmaps "x" already exists');

function writer(create: (object: KubeObject) => Promise<KubeObject>, data: object = config.data) {
  const calls: [string, KubeObject | unknown][] = [];
  let now = Date.UTC(2026, 0, 1);
  let wake = (): void => {};
  const kube = {
    create: (object: KubeObject) => {
      calls.push(['create', object]);
      return create(object);
    },
    patch: async (_: unknown, patch: unknown) => {
      calls.push(['patch', patch]);
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: config.name }, data };
    },
  };
  const sleep = (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      wake = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const all = new ConfigMapWriter({ kube, clock: { now: () => now, sleep } });
  return { all, calls, later: (ms: number) => (now += ms), timeOut: () => wake() };
}

describe('the ConfigMap of an injected pod', () => {
  test('is written once for many pods, labelled, immutable and dated', async () => {
    const { all, calls, later } = writer(async (object) => object);
    await Promise.all([all.write('demo', config), all.write('demo', config)]);
    await all.write('demo', config);
    expect(calls).toEqual([
      [
        'create',
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: config.name,
            namespace: 'demo',
            labels: {
              'app.kubernetes.io/managed-by': 'meshroot-injector',
              'meshroot.io/agent-config': 'true',
            },
            annotations: { 'meshroot.io/used-at': '2026-01-01T00:00:00.000Z' },
          },
          immutable: true,
          data: config.data,
        },
      ],
    ]);
    await all.write('other', config);
    later(61_000);
    await all.write('demo', config);
    expect(calls.map(([verb]) => verb)).toEqual(['create', 'create', 'create']);
  });

  test('that is there already is dated anew, so that nobody sweeps it away', async () => {
    const { all, calls } = writer(() => Promise.reject(exists));
    await all.write('demo', config);
    expect(calls[1]).toMatchObject([
      'patch',
      { metadata: { annotations: { 'meshroot.io/used-at': '2026-01-01T00:00:00.000Z' } } },
    ]);
  });

  test.each<[string, () => ReturnType<typeof writer>, RegExp, RegExp]>([
    [
      'holds something else',
      () => writer(() => Promise.reject(exists), { 'config.json': '{"evil":1}' }),
      /^ConfigMap demo\/meshroot-agent-config-1 with the agents' configuration cannot be written: it is there with another content/,
      /kubectl -n demo delete configmap meshroot-agent-config-1/,
    ],
    [
      'may not be written',
      () => writer(() => Promise.reject(new KubeError('kube-forbidden', 'configmaps is forbidden'))),
      /cannot be written: configmaps is forbidden$/,
      /may the injector create and patch ConfigMaps there\? .* -config-maps=true/,
    ],
  ])('that %s is an error that says what to do, and is tried again', async (_, made, message, hint) => {
    const { all, calls } = made();
    await expect(all.write('demo', config)).rejects.toMatchObject({
      code: 'config-map-write',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    const before = calls.length;
    await expect(all.write('demo', config)).rejects.toThrow();
    expect(calls.length).toBeGreaterThan(before);
  });

  test('is given up before the API server gives up on us', async () => {
    const { all, timeOut } = writer(() => new Promise(() => {}));
    const written = all.write('demo', config);
    timeOut();
    await expect(written).rejects.toThrow('the API server did not answer within 6 s');
  });
});
