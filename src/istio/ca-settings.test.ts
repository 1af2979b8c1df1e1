import { describe, expect, test } from 'vitest';
import { caSettings } from './ca-settings.ts';

describe('settings of the CA', () => {
  test('without anything they are istiod’s', () => {
    expect(caSettings({}, {})).toEqual({
      folder: './etc/cacerts',
      listen: ':15012',
      metrics: undefined,
      http: undefined,
      trustDomain: 'cluster.local',
      clusterId: 'Kubernetes',
      namespace: 'istio-system',
      revision: '',
      customHosts: '',
      defaultTtl: 86_400_000,
      maxTtl: 7_776_000_000,
      audiences: ['istio-ca'],
      multiRoot: false,
      configMap: 'istio-ca-root-cert',
      crlConfigMap: 'istio-ca-crl',
      signer: { kind: 'file' },
      reserve: undefined,
      ledger: undefined,
      csrPolicy: { mode: 'strict', minRsaBits: 2048 },
      rate: undefined,
      callerRate: undefined,
      trustedNodeAccounts: new Set(),
      remoteClusters: new Map(),
      kubeconfig: undefined,
      jwks: undefined,
    });
  });

  test('flags win over the environment, the mesh configuration over the default', () => {
    const env = {
      ROOT_CA_DIR: '/env',
      CLUSTER_ID: 'env',
      ISTIO_MULTIROOT_MESH: 'true',
      TOKEN_AUDIENCES: 'a,b',
    };
    expect(caSettings({ rootCaDir: '/flag', meshTrustDomain: 'mesh.one' }, env)).toMatchObject({
      folder: '/flag',
      clusterId: 'env',
      trustDomain: 'mesh.one',
      multiRoot: true,
      audiences: ['a', 'b'],
    });
  });

  test('tokens checked by keys count until they end, or are asked about after a window', () => {
    const flags = { jwks: 'f', issuer: 'i' };
    expect(caSettings(flags, {}).jwks).toMatchObject({ revocationWindow: undefined });
    expect(caSettings({ ...flags, revocationWindow: '10m' }, {}).jwks?.revocationWindow).toBe(600_000);
  });

  test('JWT_RULE is taken as istiod takes it', () => {
    const rule = { issuer: 'https://i', jwks_uri: 'https://i/keys', audiences: ['x'] };
    expect(caSettings({}, { JWT_RULE: JSON.stringify(rule) })).toMatchObject({
      jwks: { source: 'https://i/keys', issuer: 'https://i' },
      audiences: ['x'],
    });
    expect(() => caSettings({}, { JWT_RULE: '{' })).toThrow(
      expect.objectContaining({ code: 'bad-jwt-rule' }),
    );
  });

  test.each([
    [{ signer: 'vault-pki' }, {}, 'signer-incomplete', '--signer vault-pki lacks --vault-pki-role'],
    [{ signer: 'hsm' }, {}, 'unknown-signer', '"hsm" is not a signer'],
    [{ jwks: 'f' }, {}, 'half-jwks', '--jwks alone is not enough'],
    [
      { revocationWindow: '10m' },
      {},
      'half-jwks',
      '--revocation-window is of tokens that are checked by keys',
    ],
    [{}, { DEFAULT_WORKLOAD_CERT_TTL: 'soon' }, 'bad-duration', '"soon" is not a duration'],
    [
      {},
      { EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API' },
      'external-ca',
      'EXTERNAL_CA is set: meshroot ca signs itself and stands in for no other CA',
    ],
    [{ trustDomain: 'a b' }, {}, 'bad-trust-domain', '"a b" is not a trust domain'],
  ])('%j with %j is refused as %s', (flags, env, code, message) => {
    expect(() => caSettings(flags, env)).toThrow(expect.objectContaining({ code, message }));
  });
});
