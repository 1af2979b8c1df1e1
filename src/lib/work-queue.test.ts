import { expect, test } from 'vitest';
import { JumpingClock } from './test-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

/** Runs a queue in which every event is noted with the seconds since its start, until `stopAfter` events. */
async function runQueue(
  keys: readonly string[],
  work: (key: string, turn: number, queue: WorkQueue) => Promise<number | undefined> | number | undefined,
  stopAfter: number,
  more: Partial<WorkQueueOptions> = {},
): Promise<string[]> {
  const clock = new JumpingClock();
  const start = clock.now();
  const stop = new AbortController();
  const events: string[] = [];
  const note = (text: string): void => {
    events.push(`${(clock.now() - start) / 1000} ${text}`);
    if (events.length >= stopAfter) stop.abort();
  };
  const turns = new Map<string, number>();
  const queue = new WorkQueue({
    clock,
    random: () => 1,
    concurrency: 2,
    baseDelay: 1000,
    maxDelay: 60_000,
    work: async (key) => {
      const turn = (turns.get(key) ?? 0) + 1;
      turns.set(key, turn);
      note(key);
      return work(key, turn, queue);
    },
    onFailure: (key, error, retryIn) =>
      note(`${key} failed: ${(error as Error).message}, again in ${retryIn}`),
    ...more,
  });
  for (const key of keys) queue.add(key);
  await queue.run(stop.signal);
  return events;
}

test('a key is done again after the time that its work asks for', async () => {
  expect(await runQueue(['a'], () => 30_000, 3)).toEqual(['0 a', '30 a', '60 a']);
});

test('a failing key backs off by doubling, alone, and starts anew after a success', async () => {
  const fail = (key: string, turn: number): number => {
    if (key === 'a' && turn !== 3) throw new Error('no');
    return 10_000;
  };
  const events = await runQueue(['a', 'b'], fail, 10);
  expect(events.filter((e) => e.includes(' a')).slice(0, 8)).toEqual([
    '0 a',
    '0 a failed: no, again in 1000',
    '1 a',
    '1 a failed: no, again in 2000',
    '3 a',
    '13 a',
    '13 a failed: no, again in 1000',
    '14 a',
  ]);
  expect(events.filter((e) => e.endsWith(' b'))).toEqual(['0 b', '10 b']);
});

test('the pause has a ceiling', async () => {
  const fail = (): never => {
    throw new Error('no');
  };
  const events = await runQueue(['a'], fail, 20);
  expect(events.at(-1)).toMatch(/again in 60000$/);
});

test('what is added while it runs is done once more afterwards, never twice at one time', async () => {
  let running = 0;
  let most = 0;
  const events = await runQueue(
    ['a'],
    async (key, turn, queue) => {
      most = Math.max(most, ++running);
      if (turn === 1) for (let i = 0; i < 5; i++) queue.add(key);
      await new Promise(setImmediate);
      running--;
      return turn === 1 ? undefined : 1000;
    },
    3,
  );
  expect([events, most]).toEqual([['0 a', '0 a', '1 a'], 1]);
});

test('no more keys run at one time than allowed', async () => {
  let running = 0;
  let most = 0;
  await runQueue(
    ['a', 'b', 'c', 'd', 'e'],
    async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      return undefined;
    },
    5,
  );
  expect(most).toBe(2);
});

test('a forgotten key is not done again, and the end waits for what runs', async () => {
  let ended = false;
  const events = await runQueue(
    ['a', 'b'],
    async (key, _turn, queue) => {
      if (key === 'a') queue.forget('b');
      await new Promise(setImmediate);
      ended = true;
      return key === 'a' ? 1000 : undefined;
    },
    2,
    { concurrency: 1 },
  );
  expect([events, ended]).toEqual([['0 a', '1 a'], true]);
});
