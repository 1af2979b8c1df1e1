import { describe, expect, test } from 'vitest';
import { testApi } from '../test-api.ts';
import { type Attributes, type PolicyRule, ruleAllows } from './rbac.ts';
import { serviceAccountUser } from './service-account-tokens.ts';

const rule = (r: Partial<PolicyRule>): PolicyRule => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['pods'],
  resourceNames: [],
  nonResourceURLs: [],
  ...r,
});
const getPod: Attributes = {
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: 'demo',
  name: 'x',
};

describe('a rule', () => {
  test.each([
    ['the same', {}, getPod, true],
    ['another verb', { verbs: ['list'] }, getPod, false],
    ['any verb', { verbs: ['*'] }, getPod, true],
    ['another group', { apiGroups: ['apps'] }, getPod, false],
    ['a subresource by the parent', {}, { ...getPod, subresource: 'log' }, false],
    ['a subresource by name', { resources: ['pods/log'] }, { ...getPod, subresource: 'log' }, true],
    ['a subresource of anything', { resources: ['*/log'] }, { ...getPod, subresource: 'log' }, true],
    ['the named object', { resourceNames: ['x'] }, getPod, true],
    ['another object', { resourceNames: ['y'] }, getPod, false],
    ['a path', { nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics' }, true],
    ['a path below', { nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/api/v1' }, true],
    ['a path beside', { nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/apis' }, false],
  ] as const)('for %s', (_, r, wanted, allowed) => {
    expect(ruleAllows(rule(r as Partial<PolicyRule>), wanted)).toBe(allowed);
  });
});

describe('bindings', () => {
  const user = serviceAccountUser('demo', 'default', 'u');
  const rbac = 'rbac.authorization.k8s.io/v1';

  test('in a namespace reach no further, and are taken back at once', async () => {
    const { api, server } = await testApi();
    const may = (namespace: string) => server.around.rbac.authorize(user, { ...getPod, namespace });
    expect(may('demo').allowed).toBe(false);
    await api.create({
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { name: 'b', namespace: 'demo' },
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'demo' }],
    });
    expect(may('demo')).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "b/demo" of ClusterRole "view" to ServiceAccount "default/demo"',
    });
    expect(may('other').allowed).toBe(false);
    await api.request('DELETE', '/apis/rbac.authorization.k8s.io/v1/namespaces/demo/rolebindings/b');
    expect(may('demo').allowed).toBe(false);
  });
  test('of the cluster give the token reviewer what it needs, and no more', async () => {
    const { api, server } = await testApi();
    await api.create({
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'reviewer' },
      roleRef: { kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'demo' }],
    });
    const create = { verb: 'create', subresource: '', namespace: '', name: '' };
    const may = (group: string, resource: string) =>
      server.around.rbac.authorize(user, { ...create, group, resource }).allowed;
    expect(may('authentication.k8s.io', 'tokenreviews')).toBe(true);
    expect(may('', 'secrets')).toBe(false);
  });
});
