import { describe, expect, test } from 'vitest';
import { parseMesh } from '../load.ts';
import { policyResource, policyText } from './policy.ts';

const [cluster] = parseMesh(
  'apiVersion: meshroot/v1\nkind: Mesh\nvault: {address: "http://v:8200"}\nclusters: [{name: cluster1}]',
  'm',
).clusters;
if (cluster === undefined) throw new Error('no cluster');
const context = { now: 0, adopt: false };

describe('the policy of a cluster', () => {
  test("is the seed's, to the letter: a hand-made one yields no difference, whatever its white space", () => {
    const seed = 'path "kubernetes-cluster1-secrets/istiod-service/certs" {\n    capabilities = ["read"]\n}';
    expect(policyResource(cluster).decide(seed, context)).toEqual({ kind: 'keep' });
    expect(policyResource(cluster).decide(policyText(cluster), context)).toEqual({ kind: 'keep' });
  });

  test('a wider one is narrowed, and the plan shows the lines', () => {
    const byHand = policyResource(cluster).decide('path "x" {}', context);
    expect(byHand).toMatchObject({
      kind: 'refuse',
      error: { code: 'not-ours', hint: expect.stringContaining('--adopt') },
    });
    const wide = '# made by meshroot\npath "kubernetes-cluster1-secrets/*" {\n  capabilities = ["read"]\n}\n';
    expect(policyResource(cluster).decide(wide, context)).toEqual({
      kind: 'change',
      lines: [
        '- path "kubernetes-cluster1-secrets/*" {',
        '+ path "kubernetes-cluster1-secrets/istiod-service/certs" {',
      ],
    });
  });
});
