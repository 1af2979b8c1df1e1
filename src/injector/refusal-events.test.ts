import { expect, test } from 'vitest';
import type { KubeObject } from '../kube/api.ts';
import { silentLogger } from '../lib/log.ts';
import { RefusalEvents } from './refusal-events.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'shop-1', uid: 'u-1', controller: true };
const review = (metadata: object, more: object = {}) => ({
  request: { namespace: 'demo', object: { metadata }, ...more },
});

function events(create: (object: KubeObject) => Promise<KubeObject> = async (object) => object) {
  const made: KubeObject[] = [];
  let now = 0;
  const clock = { now: () => now, sleep: async () => {} };
  const kube = {
    create: (object: KubeObject) => {
      made.push(object);
      return create(object);
    },
  };
  const all = new RefusalEvents({ kube, clock, log: silentLogger });
  return { all, made, later: (ms: number) => (now += ms) };
}

test('a refused pod becomes a Warning on the controller that wanted it', async () => {
  const { all, made } = events();
  all.record(review({ generateName: 'shop-1-', ownerReferences: [owner] }), 'no role (name one)');
  await all.flushed();
  expect(made).toMatchObject([
    {
      kind: 'Event',
      metadata: { namespace: 'demo', name: expect.stringMatching(/^shop-1\.[0-9a-f]+$/) },
      involvedObject: {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        namespace: 'demo',
        name: 'shop-1',
        uid: 'u-1',
      },
      type: 'Warning',
      reason: 'InjectionRefused',
      message: 'no role (name one)',
    },
  ]);
});

test('a pod of its own is named, also when the API server is still to name it', async () => {
  const { all, made } = events();
  all.record(review({ generateName: 'job-' }), 'm');
  all.record(review({ name: 'p' }), 'm');
  all.record('no review at all', 'm');
  await all.flushed();
  expect(made.map(({ involvedObject }) => involvedObject)).toMatchObject([
    { kind: 'Pod', name: 'job' },
    { kind: 'Pod', name: 'p' },
  ]);
});

test('the same refusal is told once in ten minutes, another one at once', async () => {
  const { all, made, later } = events();
  for (let i = 0; i < 50; i++) all.record(review({ ownerReferences: [owner] }), 'one');
  all.record(review({ ownerReferences: [owner] }), 'two');
  later(10 * 60_000);
  all.record(review({ ownerReferences: [owner] }), 'one');
  await all.flushed();
  expect(made.map(({ message }) => message)).toEqual(['one', 'two', 'one']);
});

test('a dry run leaves no event behind', async () => {
  const { all, made } = events();
  all.record(review({ name: 'p' }, { dryRun: true }), 'm');
  await all.flushed();
  expect(made).toEqual([]);
});

test('an API server that is slow or refuses holds nothing up, and no more than 100 wait for it', async () => {
  let release: (error: Error) => void = () => {};
  const first = new Promise<KubeObject>((_, reject) => {
    release = reject;
  });
  let calls = 0;
  const { all, made } = events(async (object) => (calls++ === 0 ? first : object));
  for (let i = 0; i < 300; i++) all.record(review({ name: `p${i}` }), 'm');
  release(new Error('forbidden'));
  await all.flushed();
  expect(made).toHaveLength(100);
});
