import { expect, test } from 'vitest';
import type { KubeObject, WatchEvent } from './api.ts';
import { KubeError } from './errors.ts';
import { listWatch, type WatchSource } from './list-watch.ts';

const pod = (name: string, version: string, uid = name): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', resourceVersion: version, uid },
});
const event = (type: string, object: KubeObject) => ({ type, object });
const tooOld = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
};

/** Plays lists and watches in order; the last watch ends the run. */
async function play(
  lists: (KubeObject[] | Error)[],
  watches: (unknown[] | Error)[],
): Promise<{ told: string[]; from: string[]; problems: unknown[] }> {
  const stop = new AbortController();
  const told: string[] = [];
  const from: string[] = [];
  const problems: unknown[] = [];
  const source: WatchSource = {
    list: async () => {
      const next = lists.shift() ?? [];
      if (next instanceof Error) throw next;
      return { items: next, resourceVersion: 'L' };
    },
    follow: async (version) => {
      from.push(version);
      const next = watches.shift() ?? [];
      if (next instanceof Error) throw next;
      return (async function* () {
        yield* next;
        if (watches.length === 0) stop.abort();
      })();
    },
  };
  const onEvent = (e: WatchEvent) =>
    told.push(e.type === 'SYNCED' ? 'SYNCED' : `${e.type} ${e.object.metadata.name}`);
  const clock = { now: () => 0, sleep: async () => {} };
  const onProblem = (error: unknown) => problems.push(error);
  await listWatch({ source, onEvent, onProblem, signal: stop.signal, clock, random: () => 0 });
  return { told, from, problems };
}

test('what is there comes first, then SYNCED, then changes', async () => {
  const run = await play(
    [[pod('a', '1')]],
    [[event('ADDED', pod('b', '2')), event('DELETED', pod('a', '3'))]],
  );
  expect(run.told).toEqual(['ADDED a', 'SYNCED', 'ADDED b', 'DELETED a']);
});

test('a lost connection is resumed from the last version, bookmarks included', async () => {
  const lost = new KubeError('kube-unreachable', 'gone');
  const run = await play(
    [[]],
    [
      [event('ADDED', pod('a', '5')), event('BOOKMARK', pod('', '9'))],
      lost,
      [event('MODIFIED', pod('a', '10'))],
    ],
  );
  expect(run.from).toEqual(['L', '9', '9']);
  expect(run.told).toEqual(['SYNCED', 'ADDED a', 'MODIFIED a']);
  expect(run.problems).toEqual([lost]);
});

test('a version that is too old leads to a new list, told as differences', async () => {
  const run = await play(
    [
      [pod('same', '1'), pod('changed', '1'), pod('gone', '1'), pod('reborn', '1')],
      [pod('same', '1'), pod('changed', '7'), pod('reborn', '8', 'new-uid')],
    ],
    [[tooOld], []],
  );
  expect(run.told.slice(5)).toEqual([
    'MODIFIED changed',
    'DELETED reborn',
    'ADDED reborn',
    'DELETED gone',
    'SYNCED',
  ]);
});

test('410 as an HTTP answer is the same', async () => {
  const run = await play([[], []], [new KubeError('kube-expired', 'too old'), []]);
  expect(run.told).toEqual(['SYNCED', 'SYNCED']);
  expect(run.problems).toEqual([]);
});

test('a first list that is forbidden is refused, an unreachable server is waited for', async () => {
  await expect(play([new KubeError('kube-forbidden', 'no')], [])).rejects.toMatchObject({
    code: 'kube-forbidden',
    message: 'no',
  });
  const run = await play([new KubeError('kube-unreachable', 'starting'), [pod('a', '1')]], [[]]);
  expect(run.told).toEqual(['ADDED a', 'SYNCED']);
});
