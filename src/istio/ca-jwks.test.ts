import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { jwksReviewer } from './ca-jwks.ts';
import type { ReviewToken } from './ca-token-review.ts';
import { tempFolder, testIssuer, tokenIssuer } from './test-mesh.ts';

describe('tokens checked by the keys of their issuer', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let source: string;
  let issuer: Awaited<ReturnType<typeof tokenIssuer>>;
  let review: ReviewToken;
  beforeAll(async () => {
    folder = await tempFolder();
    source = join(folder.path, 'jwks.json');
    issuer = await tokenIssuer();
    await writeFile(source, issuer.jwks);
    review = await jwksReviewer({ source, issuer: testIssuer, clock: systemClock });
  });
  afterAll(() => folder.remove());

  test('a good one names its account', async () => {
    expect(await review(await issuer.token(), ['istio-ca'])).toMatchObject({
      authenticated: true,
      username: 'system:serviceaccount:demo:shop',
    });
  });

  test.each([
    ['another audience', { audience: 'vault' }, 'unexpected "aud" claim value'],
    ['another issuer', { issuer: 'https://evil' }, 'unexpected "iss" claim value'],
    ['one that has expired', { expires: '-1m' }, '"exp" claim timestamp check failed'],
  ])('%s is refused', async (_what, options, error) => {
    expect(await review(await issuer.token(options), ['istio-ca'])).toMatchObject({
      authenticated: false,
      error,
    });
  });

  test('keys of others, no signature and rubbish are refused', async () => {
    const foreign = await (await tokenIssuer()).token();
    const unsigned = new UnsecuredJWT({ sub: 'system:serviceaccount:a:b' })
      .setIssuer(testIssuer)
      .setAudience('istio-ca')
      .setExpirationTime('1h')
      .encode();
    for (const token of [foreign, unsigned, 'rubbish', 'a.b.c'])
      expect(await review(token, ['istio-ca'])).toMatchObject({ authenticated: false });
  });

  test('a file without keys is refused at the start', async () => {
    const path = join(folder.path, 'bad.json');
    await writeFile(path, '{"keys":[]}');
    await expect(
      jwksReviewer({ source: path, issuer: testIssuer, clock: systemClock }),
    ).rejects.toMatchObject({
      code: 'bad-jwks',
    });
  });

  test('a key server that is away is not the caller’s fault', async () => {
    const away = await jwksReviewer({
      source: 'http://127.0.0.1:1/keys',
      issuer: testIssuer,
      clock: systemClock,
    });
    await expect(away(await issuer.token(), ['istio-ca'])).rejects.toThrow();
  });
});
