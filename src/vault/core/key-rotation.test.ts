import { expect, test } from 'vitest';
import { call, openTestCore, TestClock } from '../test-core.ts';

const day = 86_400_000;

test('the data key is changed when it is older than the configuration allows', async () => {
  const clock = new TestClock();
  const core = await openTestCore({ clock });
  const term = async (): Promise<unknown> => (await call(core, 'read', 'sys/key-status')).body;
  await call(core, 'update', 'sys/rotate/config', { interval: '24h' });
  expect(await term()).toMatchObject({ data: { term: 1 } });
  clock.time += day;
  await expect.poll(term).toMatchObject({ data: { term: 2 } });
  await core.close();
});

test('key-status shows when and how often, never the key', async () => {
  const core = await openTestCore();
  const { body } = await call(core, 'read', 'sys/key-status');
  expect(Object.keys((body as { data: object }).data).sort()).toEqual([
    'encryptions',
    'install_time',
    'term',
  ]);
  await core.close();
});
