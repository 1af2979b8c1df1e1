import { describe, expect, test } from 'vitest';
import { asAdmitted, podsOf } from './as-admitted.ts';
import { explain } from './explain.ts';
import { defaultSettings } from './settings.ts';

const settings = { ...defaultSettings, vaultAddress: 'https://vault:8200', cluster: 'c1' };
const V = 'vault.hashicorp.com/';
const pod = (annotations: Record<string, string>, spec: object = {}) =>
  asAdmitted({ metadata: { name: 'p', annotations }, spec: { containers: [{ name: 'app' }], ...spec } });

describe('an explanation', () => {
  test('of an injected pod names its agents, their configuration, and where each value is from', () => {
    const { decision, reason, annotations, agents } = explain(
      pod({ 'meshroot.io/istio-ca': 'true', [`${V}role`]: 'mine' }),
      'istio-system',
      settings,
    );
    expect([decision, reason]).toEqual(['injected', 'agents: vault-agent-init, vault-agent']);
    const from = new Map(annotations.map((a) => [a.name, [a.from, a.value]]));
    expect(from.get('meshroot.io/istio-ca')).toEqual(['pod', 'true']);
    expect(from.get(`${V}role`)).toEqual(['pod', 'mine']);
    expect(from.get(`${V}auth-path`)).toEqual(['profile', 'auth/kubernetes-c1']);
    expect(from.get(`${V}service`)).toEqual(['injector', 'https://vault:8200']);
    expect(agents[0]?.configuration).toMatchObject({
      exit_after_auth: true,
      vault: { address: 'https://vault:8200' },
    });
  });

  test('of a refused pod is the refusal and its hint', () => {
    const { decision, reason, hint, patch } = explain(
      pod({ [`${V}agent-inject`]: 'true' }),
      'demo',
      settings,
    );
    expect(decision).toBe('refused');
    expect(reason).toBe('error validating agent configuration: no Vault role found');
    expect(hint).toBe('name the role in vault.hashicorp.com/role');
    expect(patch).toEqual([]);
  });

  test.each<[string, Record<string, string>, string]>([
    ['does not ask', {}, 'it does not ask for injection'],
    [
      'was injected',
      { [`${V}agent-inject`]: '1', [`${V}agent-inject-status`]: 'injected' },
      'it is injected already',
    ],
  ])('of a pod that %s says so', (_, annotations, reason) => {
    expect(explain(pod(annotations), 'demo', settings)).toMatchObject({ decision: 'left-alone', reason });
  });

  test('points at annotations that nobody reads', () => {
    const { warnings } = explain(
      pod({ [`${V}agent-injct`]: 'true', 'meshroot.io/x-y-z-0': '' }),
      'demo',
      settings,
    );
    expect(warnings).toEqual([
      'vault.hashicorp.com/agent-injct is not known; did you mean vault.hashicorp.com/agent-inject?',
      'meshroot.io/x-y-z-0 is not known',
    ]);
  });

  test.each([null, [], 'x', { metadata: { annotations: 5 } }])(
    'of %j is a refusal, not a failure',
    (object) => {
      expect(explain(object, 'demo', settings).decision).toBe('refused');
    },
  );
});

describe('the pods of a manifest', () => {
  const template = { metadata: { annotations: { a: 'b' } }, spec: { containers: [{ name: 'c' }] } };
  test.each([
    ['Deployment', { template }],
    ['StatefulSet', { template }],
    ['Job', { template }],
    ['CronJob', { jobTemplate: { spec: { template } } }],
  ])('are found in a %s', (kind, spec) => {
    const [found, ...others] = podsOf({ kind, metadata: { name: 'x', namespace: 'n' }, spec });
    expect(found).toMatchObject({ name: `${kind} x`, namespace: 'n', pod: { kind: 'Pod', ...template } });
    expect(others).toEqual([]);
  });

  test('are found in a List, and nothing is made of what makes none', () => {
    const items = [{ kind: 'Service' }, { kind: 'Pod', metadata: {}, spec: {} }, 5, null];
    expect(podsOf({ kind: 'List', items }).map(({ name }) => name)).toEqual(['Pod (unnamed)']);
    expect(podsOf({ kind: 'Deployment', spec: 5 })).toEqual([]);
  });

  test('get the token of their service account, as the API server mounts it, unless they want none', () => {
    const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
    const mounted = asAdmitted({ spec: { containers: [{ name: 'a' }], initContainers: [{ name: 'i' }] } });
    expect(JSON.stringify(mounted).split(mountPath)).toHaveLength(3);
    expect(asAdmitted(mounted)).toBe(mounted);
    const without = { spec: { automountServiceAccountToken: false, containers: [{ name: 'a' }] } };
    expect(asAdmitted(without)).toBe(without);
  });
});

describe('meshroot.io/gateway-certs', () => {
  const gateway = (path: string) => pod({ 'meshroot.io/gateway-certs': path, [`${V}role`]: 'ingress' });

  test('is three files from one secret, the key before the certificate', () => {
    const { agents } = explain(gateway('kv/gateways/shop'), 'istio-ingress', settings);
    expect(agents.map(({ name }) => name)).toEqual(['vault-agent-init', 'vault-agent']);
    const { template, auto_auth } = (agents[1]?.configuration ?? {}) as Record<string, unknown>;
    expect(template).toMatchObject(
      [
        ['tls.key', 'private_key'],
        ['ca.crt', 'ca_certificates'],
        ['tls.crt', 'server_certificate'],
      ].map(([file, key]) => ({
        destination: `/vault/secrets/${file}`,
        contents: `{{- with secret "kv/gateways/shop" -}}\n{{ .Data.${key} }}\n{{ end -}}\n`,
        error_on_missing_key: true,
      })),
    );
    expect(auto_auth).toMatchObject({
      method: { mount_path: 'auth/kubernetes-c1', config: { role: 'ingress' } },
    });
  });

  test.each(['', 'kv', 'kv/x" }}{{ env "HOME', '/kv/x'])('%j is no path and refused', (path) => {
    expect(explain(gateway(path), 'demo', settings)).toMatchObject({
      decision: 'refused',
      reason: `error checking if should inject agent: meshroot.io/gateway-certs: "${path}" is not the path of a secret in Vault`,
    });
  });

  test('leaves the pod alone when it says agent-inject: "false"', () => {
    const annotations = { 'meshroot.io/gateway-certs': 'kv/x', [`${V}agent-inject`]: 'false' };
    expect(explain(pod(annotations), 'demo', settings).decision).toBe('left-alone');
  });
});
