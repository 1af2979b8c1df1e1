import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/api.ts';
import { asKubeObject } from '../../kube/kube-object.ts';
import { testNow } from '../../x509/test-ca.ts';
import { parseMesh } from '../load.ts';
import type { ClusterObjects } from './cluster-objects.ts';
import { draftCluster } from './draft-cluster.ts';
import { draftMesh } from './draft-mesh.ts';
import { draftToJson, renderDraft } from './render-draft.ts';

const secret = 'dGhlIGtleSB0aGF0IG5vYm9keSBtYXkgc2Vl';

/** Words that mean something here, in the hands of somebody who means harm. */
const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    'a\nclusters: []',
    '\u2028- name: x',
    '# \u001b[2J',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t',
    'auth/../..',
    'a/data/b/data/',
    'https://v.example:8200',
    'javascript:alert(1)',
    '9999999999999999h',
    '--issuer-name',
    '__proto__',
    'x'.repeat(30_000),
  ),
);
const value = fc.oneof(
  { depthSize: 'small' },
  word,
  fc.constantFrom(null, undefined, true, -0, Number.NaN, 1e308, [], {}),
  fc.jsonValue({ maxDepth: 3 }),
);
const maybe = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: value });
const record = (shape: Record<string, fc.Arbitrary<unknown>>) =>
  maybe(fc.record(shape, { requiredKeys: [] }));
const many = (arbitrary: fc.Arbitrary<unknown>) => maybe(fc.array(arbitrary, { maxLength: 3 }));

const annotations = maybe(
  fc.dictionary(
    fc.constantFrom(
      ...[
        'role',
        'auth-path',
        'service',
        'namespace',
        'agent-inject-secret-ca-key.pem',
        'agent-inject-template-ca-key.pem',
      ].map((name) => `vault.hashicorp.com/${name}`),
      'meshroot.io/istio-ca',
      'meshroot.io/cluster',
    ),
    maybe(word),
  ),
);
const env = many(
  record({ name: fc.constantFrom('ROOT_CA_DIR', 'VAULT_CONFIG', 'VAULT_ADDR', 'TRUST_DOMAIN'), value: word }),
);
const podSpec = record({
  serviceAccountName: word,
  containers: many(record({ name: fc.constantFrom('discovery', 'x'), image: word, args: many(word), env })),
  initContainers: many(record({ name: word, env })),
});
const data = maybe(
  fc.dictionary(
    fc.constantFrom(
      'ca-cert.pem',
      'cert-chain.pem',
      'root-cert.pem',
      'tls.crt',
      'ca.crt',
      'mesh',
      'istio-generated',
    ),
    maybe(word),
  ),
);
const spec = record({
  ca: record({ secretName: word }),
  vault: record({ server: word, path: word }),
  secretName: word,
  privateKey: record({ algorithm: fc.constantFrom('RSA', 'ECDSA', 'Ed25519'), size: fc.double() }),
  duration: word,
  renewBefore: word,
  issuerRef: record({ name: word }),
  template: record({ metadata: record({ annotations }), spec: podSpec }),
  ...{ containers: many(record({ env })) },
});
const object = (kind: string): fc.Arbitrary<KubeObject> =>
  fc
    .record(
      {
        metadata: fc.record(
          {
            name: maybe(word),
            namespace: maybe(word),
            labels: maybe(fc.dictionary(word, maybe(word))),
            annotations,
          },
          { requiredKeys: [] },
        ),
        spec,
        data,
        webhooks: many(record({ name: word })),
      },
      { requiredKeys: ['metadata'] },
    )
    .map((fields) => {
      const read = asKubeObject({ apiVersion: 'v1', kind, ...fields });
      return { ...read, data: isPlain(read.data) ? { ...read.data, 'ca-key.pem': secret } : read.data };
    });
const isPlain = (thing: unknown): thing is object => typeof thing === 'object' && thing !== null;
const some = (kind: string) => fc.array(object(kind), { maxLength: 3 });

const objects: fc.Arbitrary<ClusterObjects> = fc.record({
  secrets: some('Secret'),
  istiods: some('Deployment'),
  pods: some('Pod'),
  istioCsrs: some('Deployment'),
  issuers: some('Issuer'),
  certificates: some('Certificate'),
  webhooks: some('MutatingWebhookConfiguration'),
  configMaps: some('ConfigMap'),
  unseen: fc.array(word, { maxLength: 2 }),
});

describe('objects of strangers', () => {
  test('never break the import, steer the file or the terminal, or show a key', () => {
    fc.assert(
      fc.property(objects, objects, (one, two) => {
        const drafts = [one, two].map((seen, i) =>
          draftCluster({ name: `c${i}`, context: `c${i}`, kubeconfig: undefined }, seen, testNow),
        );
        const mesh = draftMesh(drafts, {
          vault: undefined,
          fallbackVault: 'https://v.example',
          injector: true,
        });
        const text = mesh.text ?? '';
        expect(parseMesh(text, 'mesh.yaml').clusters.map(({ name }) => name)).toEqual(['c0', 'c1']);
        const printed = renderDraft(drafts, mesh);
        expect(text.length + printed.length).toBeLessThan(60_000);
        for (const output of [text, printed]) expect(output).not.toMatch(/[^\P{Cc}\n]|\u2028|\u2029/u);
        expect(text + printed + JSON.stringify(draftToJson(drafts, mesh, []))).not.toContain(secret);
      }),
      { numRuns: 150 },
    );
  });
});
