import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { TestClock } from '../../test-core.ts';
import { LocalKeys } from './local-keys.ts';

const minute = 60_000;
const config = {
  host: 'https://api',
  caCert: '',
  reviewerJwt: '',
  pemKeys: [],
  issuer: '',
  disableIssuerValidation: true,
  disableLocalCaJwt: true,
};

test('keys are kept for five minutes, asked for anew when they do not fit, and kept while nobody answers', async () => {
  const clock = new TestClock();
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  let asked = 0;
  let away = false;
  const keys = new LocalKeys(async ({ path }) => {
    asked += 1;
    expect(path).toBe('/openid/v1/jwks');
    if (away) throw new Error('away');
    return { keys: [key] };
  });
  const read = (anew = false): Promise<readonly string[]> => keys.pems(config, 'bearer', clock, anew);
  const [pem] = await read();
  expect(pem).toContain('BEGIN PUBLIC KEY');
  await read();
  await read(true); // just now
  expect(asked).toBe(1);
  clock.time += minute;
  await read(true);
  expect(asked).toBe(2);
  away = true;
  clock.time += 30 * minute;
  expect(await read()).toEqual([pem]);
  clock.time += 31 * minute;
  await expect(read()).rejects.toMatchObject({ code: 'jwks-failed', status: 403 });
});
