import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../kube/api.ts';
import { parseMesh } from '../mesh/load.ts';
import { injectorObjects } from './injector-objects.ts';

function objects(injector: string): KubeObject[] {
  const mesh = parseMesh(
    `apiVersion: meshroot/v1
kind: Mesh
vault: {address: "https://vault:8200"}
clusters:
  - name: c1
    context: c1
    injector: ${injector}
`,
    'mesh.yaml',
  );
  return mesh.clusters.flatMap((cluster) => injectorObjects(mesh, cluster));
}
const entries = (made: readonly KubeObject[]) =>
  made.find(({ kind }) => kind === 'MutatingWebhookConfiguration')?.webhooks as { failurePolicy: string }[];

describe('the injector of mesh.yaml', () => {
  test('fails closed for all, without policy and Events, when nothing is said', () => {
    const made = objects('{}');
    expect(entries(made).map(({ failurePolicy }) => failurePolicy)).toEqual(['Fail']);
    expect(made.map(({ kind }) => kind)).not.toContain('ConfigMap');
    expect(JSON.stringify(made)).not.toContain('MESHROOT_EVENTS');
  });

  test('failClosed names the namespaces whose pods wait', () => {
    const made = entries(objects('{failClosed: [istio-system]}'));
    expect(made.map(({ failurePolicy }) => failurePolicy)).toEqual(['Fail', 'Ignore']);
  });

  test('events gives it the setting and the right', () => {
    const made = objects('{events: true}');
    expect(JSON.stringify(made)).toContain('{"name":"MESHROOT_EVENTS","value":"true"}');
    expect(made.find(({ kind }) => kind === 'ClusterRole')?.rules).toContainEqual({
      apiGroups: [''],
      resources: ['events'],
      verbs: ['create'],
    });
  });

  test('policy is what the injector reads from its ConfigMap', () => {
    const made = objects('{policy: {rules: [{namespaces: [demo], roles: ["app-*"]}]}}');
    const { data } = made.find(({ kind }) => kind === 'ConfigMap') as unknown as {
      data: Record<string, string>;
    };
    expect(JSON.parse(data['policy.yaml'] ?? '')).toEqual({
      rules: [{ namespaces: ['demo'], roles: ['app-*'] }],
    });
  });

  test('a policy that the injector could not read is refused before anything is written', () => {
    expect(() => objects('{policy: {rules: [{namespaces: [demo], rols: [x]}]}}')).toThrow(
      expect.objectContaining({ code: 'bad-policy', message: expect.stringContaining('rols') }),
    );
  });
});
