import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed tokens of a small identity provider, and what it publishes. */
export interface JwtFixtures {
  readonly values: Readonly<Record<string, string>>;
  /** By path. */
  readonly documents: (address: string) => Readonly<Record<string, unknown>>;
}

export function jwtFixtures(): JwtFixtures {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'conformance',
    sub: 'ann',
    aud: 'vault',
    exp: now + 3600,
    iat: now - 10,
    nbf: now - 10,
  };
  const make = (extra: object = {}, key: KeyObject = own.privateKey): string => {
    const signed = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${part({ ...claims, team: 'red', nested: { level: 'high' }, roles: ['a', 'b'], ...extra })}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  };
  const account = (key: KeyObject): string =>
    make(
      {
        iss: 'https://kubernetes.default.svc',
        aud: ['https://kubernetes.default.svc'],
        sub: 'system:serviceaccount:istio-system:istiod',
        'kubernetes.io': {
          namespace: 'istio-system',
          serviceaccount: { name: 'istiod', uid: 'uid-istio-system-istiod' },
        },
      },
      key,
    );
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const jwks = {
    keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }],
  };
  return {
    values: {
      signer_pem: pem,
      account_signed: account(own.privateKey),
      account_signed_by_other: account(other.privateKey),
      signed: make(),
      signed_by_other: make({}, other.privateKey),
      signed_expired: make({ exp: now - 7200, iat: now - 9000, nbf: now - 9000 }),
      signed_not_yet: make({ nbf: now + 7200 }),
      signed_early: make({ iat: now + 7200 }),
      signed_timeless: make({ exp: undefined, iat: undefined, nbf: undefined }),
      signed_other_issuer: make({ iss: 'else' }),
      signed_other_audience: make({ aud: ['else'] }),
      signed_other_subject: make({ sub: 'bob' }),
      signed_no_team: make({ team: undefined }),
      signed_blue: make({ team: 'blue' }),
      unsigned: `${part({ alg: 'none' })}.${part(claims)}.`,
    },
    documents: (address) => ({
      '/jwks': jwks,
      '/no-keys': { keys: [] },
      '/openid/v1/jwks': jwks,
      '/api/v1/namespaces/istio-system': {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'istio-system', labels: { mesh: 'one' } },
      },
      '/.well-known/openid-configuration': { issuer: address, jwks_uri: `${address}/jwks` },
    }),
  };
}
