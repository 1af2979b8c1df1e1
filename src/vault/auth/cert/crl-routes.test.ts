import { expect, test } from 'vitest';
import { silentLogger } from '../../../lib/log.ts';
import { createCrl } from '../../../x509/crl.ts';
import { generateKeyPair } from '../../../x509/keys.ts';
import { createRoot } from '../../../x509/templates/root.ts';
import type { MountContext } from '../../core/backend.ts';
import { call, openTestCore, TestClock } from '../../test-core.ts';
import { refreshCrls } from './crl-routes.ts';
import { putCrl, readCrl } from './revoked.ts';

test('a fetched list is fetched again when its time is over, and holds while it cannot be', async () => {
  const clock = new TestClock();
  const core = await openTestCore({ clock });
  const [key, now] = [await generateKeyPair('ec-p256'), clock.now()];
  const certificate = await createRoot({ key, ttl: 9_000_000, now, crlSign: true });
  const list = (serial: string, thisUpdate: number): ReturnType<typeof createCrl> =>
    createCrl({
      issuer: { certificate, privateKey: key.privateKey },
      number: 1,
      thisUpdate,
      nextUpdate: thisUpdate + 60_000,
      revoked: [{ serial, time: now }],
    });
  await call(core, 'update', 'sys/auth/cert', { type: 'cert' });
  if (core.services === undefined) throw new Error('the store is closed');
  const store = core.services.storage.begin(true);
  const context = { store, clock, log: silentLogger } as unknown as MountContext;
  putCrl(store, 'far', await list('01', now), 'http://ca/crl');
  putCrl(store, 'given', await list('01', now));
  let answer: Buffer | undefined;
  let asked = 0;
  const refresh = (): Promise<void> =>
    refreshCrls(context, async () => {
      asked++;
      if (answer === undefined) throw new Error('away');
      return answer;
    });
  await refresh();
  expect(asked).toBe(0);
  clock.time += 60_000;
  await refresh();
  expect(asked).toBe(1);
  expect(readCrl(store, 'far')?.serials).toEqual(['01']);
  answer = (await list('02', clock.now())).der;
  await refresh();
  expect(asked).toBe(2);
  expect(readCrl(store, 'far')?.serials).toEqual(['02']);
  expect(readCrl(store, 'given')?.serials).toEqual(['01']);
  await core.close();
});
