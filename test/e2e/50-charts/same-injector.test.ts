import { describe, expect, test } from 'vitest';
import { injectorManifests } from '../../../src/injector/manifests.ts';
import { at, render, theOnly } from './rendered.ts';

const byHand = injectorManifests({
  vaultAddress: 'https://vault.example:8200',
  authPath: 'auth/kubernetes-cluster1',
  cluster: 'cluster1',
});
const chart = await render('charts/meshroot/ci/injector-values.yaml', 'vault');
const both = (kind: string, ...path: readonly (string | number)[]): [unknown, unknown] => [
  at(theOnly(chart, kind), ...path),
  at(theOnly(byHand, kind), ...path),
];

interface Variable {
  readonly name: string;
}
const container = ['spec', 'template', 'spec', 'containers', 0] as const;
const sorted = (env: unknown, without = ''): Variable[] =>
  (env as Variable[]).filter(({ name }) => name !== without).sort((a, b) => a.name.localeCompare(b.name));

describe('the injector of the chart and the one that apply makes', () => {
  test('are registered alike: rules, selectors, conditions, target, failure policy', () => {
    const [fromChart, fromCode] = both('MutatingWebhookConfiguration', 'webhooks');
    expect(fromChart).toEqual(fromCode);
  });

  test('narrowed to namespaces they are registered alike too', async () => {
    const values = 'charts/meshroot/ci/injector-full-values.yaml';
    const narrowed = theOnly(await render(values, 'vault'), 'MutatingWebhookConfiguration');
    const wanted = injectorManifests({
      vaultAddress: 'x',
      failurePolicy: 'Ignore',
      namespaces: ['istio-system', 'istio-ingress'],
      events: true,
      configMaps: true,
    });
    expect(narrowed.webhooks).toEqual(theOnly(wanted, 'MutatingWebhookConfiguration').webhooks);
  });

  test('have the same rights, bound to the same account', () => {
    for (const [kind, field] of [
      ['ClusterRole', 'rules'],
      ['ClusterRoleBinding', 'roleRef'],
      ['ClusterRoleBinding', 'subjects'],
      ['Service', 'spec'],
    ] as const) {
      const [fromChart, fromCode] = both(kind, field);
      if (kind !== 'Service') expect(fromChart).toEqual(fromCode);
      else expect(at(fromChart, 'ports')).toEqual(at(fromCode, 'ports'));
    }
  });

  test.each([
    ['leaderElection', ['Role', 'RoleBinding']],
    ['events', []],
    ['configMaps', []],
  ] as const)('with %s: the same rights, registration and environment', async (value, more) => {
    const fromChart = await render('charts/meshroot/ci/injector-values.yaml', 'vault', [
      `injector.${value}=true`,
    ]);
    const fromCode = injectorManifests({
      vaultAddress: 'https://vault.example:8200',
      authPath: 'auth/kubernetes-cluster1',
      cluster: 'cluster1',
      [value]: true,
    });
    for (const kind of ['ClusterRole', 'MutatingWebhookConfiguration', ...more]) {
      for (const field of ['rules', 'webhooks', 'roleRef', 'subjects'])
        expect(at(theOnly(fromChart, kind), field)).toEqual(at(theOnly(fromCode, kind), field));
    }
    const env = (objects: typeof byHand) => at(theOnly(objects, 'Deployment'), ...container, 'env');
    expect(sorted(env(fromChart), 'NODE_OPTIONS')).toEqual(sorted(env(fromCode), 'NODE_OPTIONS'));
    expect(env(fromChart)).not.toEqual(env(chart));
  });

  test('have the same names', () => {
    const names = (objects: typeof byHand): string[] =>
      objects
        .filter(({ kind }) => !['Namespace', 'NetworkPolicy', 'PodDisruptionBudget'].includes(kind))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
        .sort();
    expect(names(chart)).toEqual(names(byHand));
  });

  test('have the same environment, but for the flags of node', () => {
    const [fromChart, fromCode] = both('Deployment', ...container, 'env');
    expect(sorted(fromChart, 'NODE_OPTIONS')).toEqual(sorted(fromCode, 'NODE_OPTIONS'));
  });

  test('are ready and alive by the same probe, and never inject themselves', () => {
    const [fromChart, fromCode] = both('Deployment', ...container, 'readinessProbe', 'httpGet');
    expect(fromChart).toEqual({ ...(fromCode as object), port: 'https' });
    expect(at(theOnly(chart, 'Deployment'), ...container, 'ports', 0)).toMatchObject({ containerPort: 8080 });
    const excluded = at(theOnly(chart, 'MutatingWebhookConfiguration'), 'webhooks', 0, 'objectSelector');
    expect(excluded).toEqual({
      matchExpressions: [
        { key: 'app.kubernetes.io/name', operator: 'NotIn', values: ['vault-agent-injector'] },
      ],
    });
    const labels = at(theOnly(chart, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    expect(labels).toMatchObject({ 'app.kubernetes.io/name': 'vault-agent-injector' });
  });
});
