import { expect, test } from 'vitest';
import { call, openTestCore } from './test-core.ts';
import { fuzzStore } from './test-fuzz.ts';

test('malformed requests are refused, none in a way that no code expected', async () => {
  const { statuses, failures } = await fuzzStore({ seed: 1, count: 3000 });
  expect(failures).toEqual([]);
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '204', '400', '403', '404']));
});

test('a hash algorithm that is the name of something else in JavaScript is unknown', async () => {
  const core = await openTestCore();
  const reply = await call(core, 'update', 'sys/tools/hash/constructor', { input: 'YQ==' });
  expect(reply).toEqual({ status: 400, body: { errors: ['unsupported algorithm constructor'] } });
  await core.close();
});
