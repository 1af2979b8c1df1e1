import { describe, expect, test } from 'vitest';
import { checkTrustDomain, parseServiceAccountUser, parseSpiffeUri, spiffeUri } from './identity.ts';

describe('SPIFFE identities as Istio writes them', () => {
  test('a URI is what its parts say, and back', () => {
    const identity = { trustDomain: 'cluster.local', namespace: 'demo', serviceAccount: 'shop' };
    expect(spiffeUri(identity)).toBe('spiffe://cluster.local/ns/demo/sa/shop');
    expect(parseSpiffeUri('spiffe://cluster.local/ns/demo/sa/shop')).toEqual(identity);
  });

  test('an @ in the trust domain becomes a dot', () => {
    expect(spiffeUri({ trustDomain: 'a@b.iam', namespace: 'n', serviceAccount: 's' })).toBe(
      'spiffe://a.b.iam/ns/n/sa/s',
    );
  });

  test.each([
    'spiffe://cluster.local/ns/demo/sa/',
    'spiffe://cluster.local/ns/demo/sa/shop/extra',
    'spiffe://cluster.local/ns/de mo/sa/shop',
    'https://cluster.local/ns/demo/sa/shop',
    'spiffe:///ns/demo/sa/shop',
    '',
  ])('%j is not one', (uri) => {
    expect(parseSpiffeUri(uri)).toBeUndefined();
  });

  test('only four-part service-account users have one', () => {
    expect(parseServiceAccountUser('system:serviceaccount:demo:shop')).toEqual({
      namespace: 'demo',
      serviceAccount: 'shop',
    });
    for (const user of [
      'system:serviceaccount:demo',
      'system:serviceaccount:demo:shop:x',
      'system:node:a:b',
      'jane',
    ])
      expect(parseServiceAccountUser(user)).toBeUndefined();
  });

  test('a trust domain with a slash is refused with a hint', () => {
    expect(() => checkTrustDomain('a/b')).toThrowError(
      expect.objectContaining({ code: 'bad-trust-domain', message: '"a/b" is not a trust domain' }),
    );
  });
});
