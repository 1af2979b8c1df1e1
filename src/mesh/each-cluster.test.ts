import { expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { eachCluster, settleClusters } from './each-cluster.ts';

const names = ['a', 'b', 'c', 'd'];
const failing = (bad: readonly string[]) => async (name: string) => {
  if (bad.includes(name)) throw new MeshrootError('broken', `${name} is broken`);
};

test('all are brought to their end, whatever becomes of the others', async () => {
  const ended: string[] = [];
  const failures = await settleClusters(
    names,
    { concurrency: 1, ended: (name, failed) => ended.push(`${name} ${failed}`) },
    failing(['a', 'c']),
  );
  expect(failures.map(({ cluster }) => cluster)).toEqual(['a', 'c']);
  expect(ended).toEqual(['a true', 'b false', 'c true', 'd false']);
});

test('of several failures each is named', async () => {
  await expect(eachCluster(names, {}, failing(['a', 'c']))).rejects.toMatchObject({
    code: 'clusters-failed',
    message: '2 of 4 clusters failed:\n  a: a is broken\n  c: c is broken',
  });
});

test('once stopped no further one is begun, and what was begun is brought to its end', async () => {
  const stop = new AbortController();
  const done: string[] = [];
  const work = async (name: string): Promise<void> => {
    if (name === 'b') stop.abort(new MeshrootError('interrupted', 'stopped by SIGINT'));
    await Promise.resolve();
    done.push(name);
  };
  await expect(settleClusters(names, { concurrency: 1, signal: stop.signal }, work)).rejects.toMatchObject({
    code: 'interrupted',
    message: 'stopped by SIGINT: 2 of 4 clusters were not begun',
    hint: expect.stringContaining('run the same command again'),
  });
  expect(done).toEqual(['a', 'b']);
});
