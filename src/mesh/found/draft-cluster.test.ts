import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/api.ts';
import { privateKeyPem } from '../../x509/keys.ts';
import { type TestMesh, testMesh, testNow } from '../../x509/test-ca.ts';
import type { ClusterObjects } from './cluster-objects.ts';
import { draftCluster } from './draft-cluster.ts';
import { draftMesh } from './draft-mesh.ts';

const nothing: ClusterObjects = {
  secrets: [],
  istiods: [],
  pods: [],
  istioCsrs: [],
  issuers: [],
  certificates: [],
  webhooks: [],
  configMaps: [],
  unseen: [],
};
const namespace = 'istio-system';
const answers = { vault: 'https://vault.example:8200', fallbackVault: undefined, injector: true };
const draft = (objects: Partial<ClusterObjects>, name = 'eu') =>
  draftCluster({ name, context: name, kubeconfig: undefined }, { ...nothing, ...objects }, testNow);

function cacerts({ intermediate, root }: TestMesh, more: Record<string, string> = {}): KubeObject {
  const texts = {
    'ca-key.pem': privateKeyPem(intermediate.privateKey).reveal(),
    'ca-cert.pem': intermediate.certificate.pem,
    'cert-chain.pem': intermediate.certificate.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
    ...more,
  };
  const data = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace }, data };
}

function istiod(annotations: Record<string, string> = {}): KubeObject {
  const containers = [
    {
      name: 'discovery',
      image: 'istio/pilot:1.30.3',
      env: [{ name: 'ROOT_CA_DIR', value: '/vault/secrets' }],
    },
  ];
  const template = { metadata: { annotations }, spec: { serviceAccountName: 'istiod-canary', containers } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod', namespace },
    spec: { template },
  };
}

describe('what is made of a running cluster', () => {
  test('a plugged-in CA is to be imported, and its root stands beside the file', async () => {
    const mesh = await testMesh();
    const found = draft({ secrets: [cacerts(mesh)], istiods: [istiod()] });
    expect(found.entry).toEqual({
      istiod: { namespace, serviceAccount: 'istiod-canary' },
      intermediate: { keyType: 'ec-p256', ttl: '90d', import: { secret: 'istio-system/cacerts' } },
    });
    const { text, root } = draftMesh([found], answers);
    expect(root).toBe(mesh.root.certificate.pem);
    expect(text).toContain('import: { secret: istio-system/cacerts }');
    expect(text).not.toContain('PRIVATE');
  });

  test('what would break an import is told before anybody tries', async () => {
    const { leaf } = await testMesh();
    const found = draft({ secrets: [cacerts(await testMesh(), { 'ca-cert.pem': leaf.certificate.pem })] });
    expect(found.decide).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Secret istio-system\/cacerts: not-a-ca: /)]),
    );
  });

  test('an injected CA is found by annotations: KV version 2, own names, and no second injector', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'istiod-1', namespace },
      spec: {
        initContainers: [
          {
            name: 'vault-agent-init',
            env: [
              {
                name: 'VAULT_CONFIG',
                value: Buffer.from('{"vault":{"address":"https://v.example:8200"}}').toString('base64'),
              },
            ],
          },
        ],
      },
    };
    const annotations = {
      'vault.hashicorp.com/role': 'mesh',
      'vault.hashicorp.com/auth-path': 'auth/logins/eu',
      'vault.hashicorp.com/agent-inject-secret-ca-key.pem': 'teams/mesh/data/istiod/eu',
    };
    const found = draft({ istiods: [istiod(annotations)], pods: [pod] });
    expect(found.entry).toMatchObject({
      kv: 2,
      names: { authMount: 'logins/eu', secretsMount: 'teams/mesh', bundlePath: 'istiod/eu', role: 'mesh' },
    });
    expect(found.entry.intermediate).not.toHaveProperty('import');
    const { text } = draftMesh([found], { ...answers, vault: undefined });
    expect(text).toContain('address: https://v.example:8200');
    expect(text).not.toContain('injector:');
  });

  test('a Vault issuer of cert-manager tells where Vault is', () => {
    const csr = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'cert-manager-istio-csr', namespace: 'cert-manager' },
      spec: {
        template: {
          spec: { containers: [{ args: ['--issuer-kind', 'ClusterIssuer', '--issuer-name', 'pki'] }] },
        },
      },
    };
    const issuer = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'ClusterIssuer',
      metadata: { name: 'pki' },
      spec: { vault: { server: 'https://v.example:8200', path: 'pki/sign/istio' } },
    };
    const found = draft({ istioCsrs: [csr], issuers: [issuer] });
    expect(found.found).toContain('ClusterIssuer pki, kind vault, https://v.example:8200 pki/sign/istio');
    expect(found.vault).toEqual({ address: 'https://v.example:8200', namespace: '' });
  });

  test('clusters that do not share a root are warned of by fingerprint; most of them decide', async () => {
    const [one, other] = await Promise.all([testMesh(), testMesh()]);
    const clusters = [
      draft({ secrets: [cacerts(other)] }, 'a'),
      draft({ secrets: [cacerts(one)] }, 'b'),
      draft({ secrets: [cacerts(one)] }, 'c'),
    ];
    const { root, warnings } = draftMesh(clusters, answers);
    expect(root).toBe(one.root.certificate.pem);
    expect(warnings).toEqual([
      expect.stringContaining(
        `a ${other.root.certificate.fingerprint.slice(0, 16)}, b ${one.root.certificate.fingerprint.slice(0, 16)}`,
      ),
    ]);
  });

  test('nothing found is a file, too, and says what is missing', () => {
    const found = draft({ unseen: ['Secret (metadata.name=cacerts): forbidden'] });
    const { text, root } = draftMesh([found], answers);
    expect(root).toBeUndefined();
    expect(text).toContain('  # unseen  Secret (metadata.name=cacerts): forbidden\n');
    expect(text).toContain('  # decide  no root certificate was seen\n');
    expect(draftMesh([found], { ...answers, vault: undefined }).text).toBeUndefined();
  });
});
