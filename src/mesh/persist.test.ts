import { describe, expect, test } from 'vitest';
import { VaultError } from '../client/vault-error.ts';
import { MeshrootError } from '../lib/errors.ts';
import { persist } from './persist.ts';

describe('work that fails for a reason that passes', () => {
  /** Fails `times` times; tells how long was waited, in ms. */
  async function failing(times: number, error: Error, also: readonly string[] = []) {
    const slept: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
    let left = times;
    const work = async () => {
      if (left-- > 0) throw error;
      return 'done';
    };
    const result = await persist(clock, work, also).catch((reason: unknown) => reason);
    return { result, tries: slept.length, waited: slept.reduce((sum, ms) => sum + ms, 0) };
  }
  const limited = new VaultError({ method: 'PUT', path: 'x', status: 429 });
  const away = new MeshrootError('kube-unavailable', 'away');
  const denied = new MeshrootError('vault-denied', 'no');

  test('is done again, for two seconds while an API server is away, for half a minute under a quota', async () => {
    expect(await failing(3, away)).toEqual({ result: 'done', tries: 3, waited: 2000 });
    expect(await failing(4, away)).toMatchObject({ result: away, tries: 3 });
    expect(await failing(6, limited)).toEqual({ result: 'done', tries: 6, waited: 31_500 });
    expect(await failing(7, limited)).toMatchObject({ result: limited, tries: 6 });
  });

  test('is not done again for any other reason, unless that one may pass here', async () => {
    expect(await failing(1, denied)).toEqual({ result: denied, tries: 0, waited: 0 });
    expect(await failing(1, denied, ['vault-denied'])).toMatchObject({ result: 'done', tries: 1 });
  });
});
