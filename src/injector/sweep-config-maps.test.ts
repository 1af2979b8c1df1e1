import { expect, test } from 'vitest';
import type { DeleteOptions, KubeObject, ObjectRef, ObjectType } from '../kube/api.ts';
import { KubeError } from '../kube/errors.ts';
import { silentLogger } from '../lib/log.ts';
import { sweepConfigMaps } from './sweep-config-maps.ts';

const hour = 3_600_000;
const map = (name: string, usedAt: number | string, namespace = 'demo'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace,
    uid: `u-${name}`,
    resourceVersion: '7',
    annotations: {
      'meshroot.io/used-at': typeof usedAt === 'string' ? usedAt : new Date(usedAt).toISOString(),
    },
  },
});
const pod = (config: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', annotations: { 'meshroot.io/agent-config-map': config } },
});

async function swept(maps: KubeObject[], pods: KubeObject[], refuse?: KubeError) {
  const deleted: [string, DeleteOptions | undefined][] = [];
  const asked: string[] = [];
  const kube = {
    list: async ({ kind }: ObjectType, selection: { namespace?: string; labelSelector?: string } = {}) => {
      asked.push(`${kind} ${selection.namespace ?? selection.labelSelector}`);
      return kind === 'Pod' ? pods : maps;
    },
    delete: async ({ name }: ObjectRef, options?: DeleteOptions) => {
      if (refuse !== undefined) throw refuse;
      deleted.push([name, options]);
    },
  };
  await sweepConfigMaps({ kube, clock: { now: () => 10 * hour, sleep: async () => {} }, log: silentLogger });
  return { deleted, asked };
}

test('what nobody used for an hour and no pod refers to is deleted, as it was seen', async () => {
  const maps = [map('used', hour), map('new', 9.5 * hour), map('odd', 'long ago'), map('old', hour)];
  const { deleted, asked } = await swept(maps, [pod('used')]);
  expect(deleted).toEqual([['old', { uid: 'u-old', resourceVersion: '7' }]]);
  expect(asked).toEqual(['ConfigMap meshroot.io/agent-config=true', 'Pod demo']);
});

test('pods are asked for only where there is something to delete', async () => {
  const { deleted, asked } = await swept([map('new', 9.5 * hour)], []);
  expect(deleted).toEqual([]);
  expect(asked).toHaveLength(1);
});

test('one that a pod took into use in the meantime stays, and any other refusal is told', async () => {
  const { deleted } = await swept([map('old', hour)], [], new KubeError('kube-conflict', 'changed'));
  expect(deleted).toEqual([]);
  await expect(swept([map('old', hour)], [], new KubeError('kube-forbidden', 'no'))).rejects.toThrow('no');
});
