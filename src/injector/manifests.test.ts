import { describe, expect, test } from 'vitest';
import { injectorManifests } from './manifests.ts';
import { webhookConfiguration } from './registration.ts';

describe('the manifests of the injector', () => {
  const objects = injectorManifests({
    vaultAddress: 'https://vault.example:8200',
    authPath: 'auth/kubernetes-cluster1',
  });

  test('come in the order in which they can be created', () => {
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Namespace vault',
      'ServiceAccount vault-agent-injector',
      'ClusterRole vault-agent-injector-clusterrole',
      'ClusterRoleBinding vault-agent-injector-binding',
      'Service vault-agent-injector-svc',
      'Deployment vault-agent-injector',
      'MutatingWebhookConfiguration vault-agent-injector-cfg',
    ]);
  });

  test('hold no secret and no key', () => {
    expect(JSON.stringify(objects)).not.toMatch(/PRIVATE KEY|"kind":"Secret"/);
  });

  test('for an API server that reaches it at an address, the certificate is for that address', () => {
    const direct = injectorManifests({ vaultAddress: 'x', port: 9443, url: 'https://127.0.0.1:9443/mutate' });
    const text = JSON.stringify(direct);
    expect(text).toContain('"url":"https://127.0.0.1:9443/mutate"');
    expect(text).toMatch(/AGENT_INJECT_TLS_AUTO_HOSTS","value":"[^"]*,127\.0\.0\.1"/);
    expect(text).toContain('{"name":"AGENT_INJECT_LISTEN","value":":9443"}');
  });

  test('the registration fails closed, only for pods that opted in, and not for the injector itself', () => {
    expect(
      webhookConfiguration({
        name: 'cfg',
        namespace: 'vault',
        url: 'https://127.0.0.1:8443/mutate',
        caBundle: 'PEM',
      }),
    ).toMatchObject({
      webhooks: [
        {
          failurePolicy: 'Fail',
          reinvocationPolicy: 'IfNeeded',
          clientConfig: { url: 'https://127.0.0.1:8443/mutate', caBundle: btoa('PEM') },
          objectSelector: { matchExpressions: [{ operator: 'NotIn', values: ['vault-agent-injector'] }] },
          namespaceSelector: { matchExpressions: [{ operator: 'NotIn', values: ['kube-system'] }] },
          matchConditions: [{ name: 'opted-in' }],
        },
      ],
    });
  });

  test('can be narrowed to some namespaces', () => {
    expect(
      webhookConfiguration({ name: 'cfg', namespace: 'vault', namespaces: ['istio-system'] }),
    ).toMatchObject({
      webhooks: [{ namespaceSelector: { matchExpressions: [{ operator: 'In', values: ['istio-system'] }] } }],
    });
  });
});

describe('what an injector has on request', () => {
  const manifests = (more: object) => injectorManifests({ vaultAddress: 'x', ...more });
  const text = (more: object) => JSON.stringify(manifests(more));
  const webhooks = (more: object) =>
    manifests(more).find(({ kind }) => kind === 'MutatingWebhookConfiguration')?.webhooks as Record<
      string,
      unknown
    >[];

  test('fail-closed namespaces: each is in exactly one entry, the strict one first', () => {
    const [strict, lenient, ...others] = webhooks({ failClosed: ['istio-system'] });
    const key = 'kubernetes.io/metadata.name';
    expect(strict).toMatchObject({
      name: 'vault.hashicorp.com',
      failurePolicy: 'Fail',
      namespaceSelector: { matchExpressions: [{ key, operator: 'In', values: ['istio-system'] }] },
    });
    expect(lenient).toMatchObject({
      name: 'lenient.vault.hashicorp.com',
      failurePolicy: 'Ignore',
      namespaceSelector: {
        matchExpressions: [
          { key, operator: 'NotIn', values: ['kube-system'] },
          { key, operator: 'NotIn', values: ['istio-system'] },
        ],
      },
    });
    expect(others).toEqual([]);
    expect(webhooks({})).toMatchObject([{ failurePolicy: 'Fail' }]);
  });

  test('events: the right to create them and nothing more, and a dry run makes none', () => {
    expect(text({ events: true })).toContain('{"apiGroups":[""],"resources":["events"],"verbs":["create"]}');
    expect(webhooks({ events: true })).toMatchObject([{ sideEffects: 'NoneOnDryRun' }]);
    expect(webhooks({})).toMatchObject([{ sideEffects: 'None' }]);
    expect(text({})).not.toContain('events');
  });

  test('ConfigMaps: the rights to write and sweep them, and a dry run makes none', () => {
    const role = manifests({ configMaps: true }).find(({ kind }) => kind === 'ClusterRole');
    expect(role?.rules).toEqual(
      expect.arrayContaining([
        { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch', 'list', 'delete'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      ]),
    );
    expect(text({ configMaps: true })).toContain('{"name":"MESHROOT_CONFIG_MAPS","value":"true"}');
    expect(webhooks({ configMaps: true })).toMatchObject([{ sideEffects: 'NoneOnDryRun' }]);
    expect(text({})).not.toMatch(/configmaps|CONFIG_MAPS/);
  });

  test('a policy: a ConfigMap that the injector mounts', () => {
    const policy = 'rules: []\n';
    const [map] = manifests({ policy }).filter(({ kind }) => kind === 'ConfigMap');
    expect(map).toMatchObject({
      metadata: { name: 'vault-agent-injector-policy' },
      data: { 'policy.yaml': policy },
    });
    expect(text({ policy })).toContain(
      '{"name":"MESHROOT_POLICY_FILE","value":"/etc/meshroot-injector/policy.yaml"}',
    );
    expect(text({})).not.toMatch(/policy\.yaml|"ConfigMap"/);
  });

  test('leader election: the right to its one Lease', () => {
    const more = injectorManifests({ vaultAddress: 'https://v', leaderElection: true });
    expect(JSON.stringify(more)).toContain('{"name":"AGENT_INJECT_USE_LEADER_ELECTOR","value":"true"}');
    const role = more.find(({ kind }) => kind === 'Role');
    expect(role).toMatchObject({ metadata: { namespace: 'vault' } });
    expect(role?.rules).toEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['vault-agent-injector-cfg-leader'],
        verbs: ['get', 'update'],
      },
    ]);
    expect(more.find(({ kind }) => kind === 'RoleBinding')).toMatchObject({
      subjects: [{ kind: 'ServiceAccount', name: 'vault-agent-injector', namespace: 'vault' }],
    });
  });
});
