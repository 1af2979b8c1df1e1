import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { checkPolicy, type InjectionPolicy } from './policy.ts';
import { parsePolicy, policyFile } from './policy-file.ts';
import { reviewAdmission } from './review.ts';
import { defaultSettings } from './settings.ts';

const policy = parsePolicy(`
rules:
  - namespaces: [istio-system]
    stores: ["https://vault.example:8200"]
    authPaths: [auth/kubernetes-*]
    roles: [istiod]
    images: ["hashicorp/vault:*", "registry.example/*/vault@sha256:*"]
    skipVerify: false
  - namespaces: [team-*]
    roles: [app-*]
    configMaps: [shared-agent]
    patches: true
`);
const V = 'vault.hashicorp.com/';
const mount = { name: 't', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };

function messageFor(namespace: string, marks: Record<string, string>, rules: InjectionPolicy = policy) {
  const given = { 'agent-inject': 'true', role: 'istiod', 'auth-path': 'auth/kubernetes-c1', ...marks };
  const annotations = Object.fromEntries(Object.entries(given).map(([name, value]) => [V + name, value]));
  const object = {
    metadata: { annotations },
    spec: { containers: [{ name: 'a', volumeMounts: [mount] }], volumes: [{ name: 't' }] },
  };
  const settings = { ...defaultSettings, vaultAddress: 'https://vault.example:8200/', policy: rules };
  return reviewAdmission({ request: { uid: 'u', namespace, object } }, settings).review.response.status
    ?.message;
}

describe('a namespace policy', () => {
  test('lets pass what it names, defaults of the injector included', () => {
    expect(messageFor('istio-system', {})).toBeUndefined();
    expect(
      messageFor('istio-system', { 'agent-image': 'registry.example/x/vault@sha256:0' }),
    ).toBeUndefined();
    expect(messageFor('team-a', { role: 'app-shop', service: 'http://any:1' })).toBeUndefined();
  });

  test.each([
    [
      'istio-system',
      { role: 'admin' },
      'namespace istio-system may not use role "admin" (allowed: istiod (rule 1 of the policy of the injector); see vault.hashicorp.com/role)',
    ],
    [
      'istio-system',
      { service: 'https://evil:8200' },
      'may not use store "https://evil:8200" (allowed: https://vault.example:8200 ',
    ],
    ['istio-system', { 'auth-path': 'auth/ldap' }, 'may not use auth path "auth/ldap"'],
    [
      'istio-system',
      { 'agent-image': 'evil/hashicorp/vault:1' },
      'may not use agent image "evil/hashicorp/vault:1"',
    ],
    ['istio-system', { 'agent-configmap': 'mine' }, 'may not use agent config map "mine" (allowed: none '],
    [
      'istio-system',
      { 'tls-skip-verify': 'true' },
      'must verify the certificate of Vault (remove tls-skip-verify ',
    ],
    [
      'istio-system',
      { 'agent-json-patch': '[{"op":"remove","path":"/resources"}]' },
      'may not patch the agents',
    ],
    [
      'istio-system',
      { 'agent-init-json-patch': '[{"op":"remove","path":"/resources"}]' },
      'may not patch the agents',
    ],
    ['istio-system', { role: '', 'auth-type': 'approle' }, 'namespace istio-system names no role'],
    ['team-a', {}, 'may not use role "istiod" (allowed: app-* (rule 2 '],
    ['demo', {}, 'no rule allows injection in namespace demo (add one to the policy of the injector)'],
  ] as [string, Record<string, string>, string][])(
    'in %s %j is refused with the reason and what is allowed',
    (namespace, marks, message) => {
      const said = messageFor(namespace, marks);
      expect(said).toMatch(/^error checking policy: /);
      expect(said).toContain(message);
    },
  );

  test('looks at the image that comes out of a patch', () => {
    const rules = {
      rules: [{ namespaces: ['*'], images: ['hashicorp/*'], patches: true }],
      otherwise: 'refuse',
    } as const;
    const patch = JSON.stringify([{ op: 'replace', path: '/image', value: 'evil:1' }]);
    expect(messageFor('demo', { 'agent-json-patch': patch }, rules)).toContain(
      'may not use agent image "evil:1"',
    );
  });

  test('a namespace that no rule names is free when the policy says so', () => {
    expect(messageFor('demo', {}, { ...policy, otherwise: 'allow' })).toBeUndefined();
  });

  test('a pattern is its text with stars for any text, and a long one costs no time', () => {
    const wish = {
      store: '',
      authPath: '',
      role: 'r',
      images: [],
      configMap: '',
      patched: false,
      skipVerify: false,
    };
    const part = fc.stringMatching(/^[a-z]{0,3}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(part, { maxLength: 4 }),
        (parts, fill) => {
          const pattern = parts.join('*');
          const namespace = parts
            .map((text, i) => text + (i < parts.length - 1 ? (fill[i] ?? '') : ''))
            .join('');
          const rules = [{ namespaces: [pattern] }];
          expect(() => checkPolicy({ rules, otherwise: 'refuse' }, { ...wish, namespace })).not.toThrow();
          const regular = new RegExp(`^${parts.join('.*')}$`);
          const other = fill.join('');
          const passes = () => checkPolicy({ rules, otherwise: 'refuse' }, { ...wish, namespace: other });
          if (regular.test(other)) expect(passes).not.toThrow();
          else expect(passes).toThrow(expect.objectContaining({ code: 'injection-refused' }));
        },
      ),
    );
    const slow = { rules: [{ namespaces: [`${'*a'.repeat(2000)}b`] }], otherwise: 'refuse' } as const;
    expect(() => checkPolicy(slow, { ...wish, namespace: 'a'.repeat(5000) })).toThrow();
  });
});

describe('the file of a policy', () => {
  test.each([
    ['rules: [', 'the policy of the injector cannot be read: '],
    ['rules: [{namespaces: [a], rolls: [x]}]', 'rules.0: Unrecognized key: "rolls"'],
    ['rules: [{namespaces: []}]', 'rules.0.namespaces: '],
    ['', 'the document: '],
    ['{rules: [], otherwise: maybe}', 'otherwise: '],
  ])('%j is refused', (text, message) => {
    expect(() => parsePolicy(text)).toThrow(
      expect.objectContaining({ code: 'bad-policy', message: expect.stringContaining(message) }),
    );
  });

  test('is read again when it changes, and a broken one leaves the last good one in force', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'policy-'));
    const file = join(folder, 'policy.yaml');
    const stop = new AbortController();
    try {
      writeFileSync(file, '{rules: [], otherwise: allow}');
      let ticks = 0;
      const clock = {
        now: systemClock.now,
        sleep: () => {
          ticks++;
          return systemClock.sleep(5, stop.signal);
        },
      };
      const source = await policyFile(file, clock, silentLogger);
      const following = source.follow(stop.signal);
      expect(source.current.otherwise).toBe('allow');
      const settled = async () => {
        for (const from = ticks; ticks < from + 3; ) await systemClock.sleep(5);
      };
      writeFileSync(file, 'rules: [');
      await settled();
      expect(source.current.otherwise).toBe('allow');
      writeFileSync(file, 'rules: []');
      await settled();
      expect(source.current.otherwise).toBe('refuse');
      stop.abort();
      await following;
      await expect(policyFile(join(folder, 'none'), systemClock, silentLogger)).rejects.toMatchObject({
        code: 'bad-policy',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
