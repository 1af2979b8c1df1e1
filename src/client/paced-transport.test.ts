import { expect, test } from 'vitest';
import { pacedTransport } from './paced-transport.ts';
import type { Transport } from './transport.ts';

/** Every sleep lasts exactly as long as asked; the time does not move by itself. */
function pacedAt(perSecond: number) {
  const clock = { time: 0, now: () => clock.time, sleep: async (ms: number) => void slept.push(ms) };
  const slept: number[] = [];
  const inner: Transport = {
    send: async (method, path) => ({ status: 200, headers: {}, text: `${method} ${path}` }),
    close: () => {},
  };
  return { clock, slept, transport: pacedTransport(inner, perSecond, clock) };
}

test('requests that come at once are begun one after the other at the pace', async () => {
  const { slept, transport } = pacedAt(10);
  const answers = await Promise.all([1, 2, 3, 4].map((n) => transport.send('GET', `/${n}`, {})));
  expect(slept).toEqual([100, 200, 300]);
  expect(answers.map(({ text }) => text)).toEqual(['GET /1', 'GET /2', 'GET /3', 'GET /4']);
});

test('a quiet time is not saved up for a burst', async () => {
  const { clock, slept, transport } = pacedAt(10);
  await transport.send('GET', '/', {});
  clock.time = 5000;
  await Promise.all([transport.send('GET', '/', {}), transport.send('GET', '/', {})]);
  expect(slept).toEqual([100]);
});
