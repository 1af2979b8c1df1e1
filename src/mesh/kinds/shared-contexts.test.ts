import { expect, test } from 'vitest';
import { parseMesh } from '../load.ts';
import { sharedContexts } from './shared-contexts.ts';

const of = (...clusters: string[]) =>
  sharedContexts(
    parseMesh(
      `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v" }\nclusters: [${clusters.join(', ')}]\n`,
      'm',
    ),
  );

test('a copied cluster whose context was not changed is told, once for all its copies', () => {
  expect(of('{ name: eu, context: prod }', '{ name: us, context: prod }')).toEqual([
    'us and eu are one cluster (prod): its istiod can read the CA key of each',
  ]);
  expect(of('{ name: "e{n}", context: prod, each: { from: 1, to: 9 } }')).toEqual([
    'e2 and 7 more and e1 are one cluster (prod): its istiod can read the CA key of each',
  ]);
});

test('two contexts, or two istiods of one cluster, are nothing to tell', () => {
  expect(of('{ name: eu, context: a }', '{ name: us, context: b }')).toEqual([]);
  expect(of('{ name: eu, context: a }', '{ name: us, context: a, istiod: { namespace: istio-us } }')).toEqual(
    [],
  );
});
