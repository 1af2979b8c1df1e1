import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyPatch } from '../lib/json-patch.ts';
import { explain } from './explain.ts';
import { inject } from './inject.ts';
import { defaultSettings, type InjectorSettings } from './settings.ts';

const V = 'vault.hashicorp.com/';
const mine = 'meshroot.io/config-map';
const mount = { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
const on: InjectorSettings = { ...defaultSettings, vaultAddress: 'https://vault:8200', configMaps: true };

const podOf = (marks: Record<string, string>) => ({
  metadata: {
    name: 'p',
    annotations: {
      [`${V}agent-inject`]: 'true',
      [`${V}role`]: 'r',
      [`${V}agent-inject-secret-x`]: 'kv/x',
      ...marks,
    },
  },
  spec: { containers: [{ name: 'app', volumeMounts: [mount] }], volumes: [{ name: 'token' }] },
});
interface Agent {
  readonly name: string;
  readonly args: readonly [string];
  readonly env: readonly { readonly name: string }[];
  readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
}
function injected(marks: Record<string, string>, settings = on) {
  const pod = podOf(marks);
  const injection = inject(pod, 'demo', settings);
  if (injection.kind !== 'injected') throw new Error(injection.why);
  const after = applyPatch(pod, injection.patch) as {
    metadata: { annotations: Record<string, string> };
    spec: { initContainers: Agent[]; containers: Agent[]; volumes: { name: string }[] };
  };
  return { ...injection, after, agents: [...after.spec.initContainers, ...after.spec.containers.slice(1)] };
}
const large = { [`${V}agent-inject-template-x`]: 'x'.repeat(40_000) };

describe('the configuration of agents in a ConfigMap', () => {
  test('is off by default, and a small one stays in the environment also when it is on', () => {
    expect(injected(large, { ...on, configMaps: false }).configMap).toBeUndefined();
    expect(injected({}).configMap).toBeUndefined();
    expect(injected({}).patch).toEqual(injected({}, { ...on, configMaps: false }).patch);
  });

  test('holds what both agents read, by a projected volume that only they mount', () => {
    const { configMap, after, agents } = injected(large);
    expect(after.spec.volumes).toContainEqual({
      name: 'meshroot-agent-config',
      projected: {
        sources: [
          {
            configMap: {
              name: configMap?.name,
              items: [
                { key: 'config-init.json', path: 'config-init.json' },
                { key: 'config.json', path: 'config.json' },
              ],
            },
          },
        ],
      },
    });
    expect(JSON.parse(configMap?.data['config-init.json'] ?? '')).toMatchObject({ exit_after_auth: true });
    expect(JSON.parse(configMap?.data['config.json'] ?? '')).toMatchObject({ exit_after_auth: false });
    expect(agents.map(({ name }) => name)).toEqual(['vault-agent-init', 'vault-agent']);
    for (const { env, volumeMounts } of agents) {
      expect(env.map(({ name }) => name).join()).not.toContain('VAULT_CONFIG');
      expect(volumeMounts.at(-1)).toEqual({
        name: 'meshroot-agent-config',
        mountPath: '/vault/agent-config',
        readOnly: true,
      });
    }
    expect(JSON.stringify(after.spec.containers[0])).not.toContain('agent-config');
    expect(JSON.stringify(after.spec).length).toBeLessThan(5000);
  });

  test('has a name made of its content: the same for the same pod, whatever it is called', () => {
    const name = injected(large).configMap?.name;
    expect(name).toMatch(/^meshroot-agent-config-[0-9a-f]{32}$/);
    expect(injected({ ...large, other: '1' }).configMap?.name).toBe(name);
    expect(injected({ ...large, [`${V}role`]: 'other' }).configMap?.name).not.toBe(name);
    expect(injected(large).after.metadata.annotations['meshroot.io/agent-config-map']).toBe(name);
  });

  test('is read by the agent only as it was admitted', () => {
    const { configMap, agents } = injected(large);
    const folder = mkdtempSync(join(tmpdir(), 'projected-'));
    const start = (): string => {
      const script = (agents[0]?.args[0] ?? '').replaceAll('/vault/agent-config', folder);
      return execFileSync('/bin/sh', ['-ec', script.replace('exec vault', 'echo started:')], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    };
    try {
      mkdirSync(folder, { recursive: true });
      const file = join(folder, 'config-init.json');
      writeFileSync(file, configMap?.data['config-init.json'] ?? '');
      expect(start()).toContain(`started: agent -config=${file}`);
      writeFileSync(file, '{"vault":{"address":"https://elsewhere"}}');
      expect(start).toThrow(/Command failed/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is one file for a native sidecar, and for a job', () => {
    const files = (marks: Record<string, string>) =>
      Object.keys(injected({ ...large, ...marks }).configMap?.data ?? {});
    expect(files({ 'meshroot.io/native-sidecar': 'true' })).toEqual(['config.json']);
    expect(files({ [`${V}agent-pre-populate-only`]: 'true' })).toEqual(['config-init.json']);
  });

  test('a pod may ask for it whatever its size, or leave it', () => {
    expect(injected({ [mine]: 'true' }).configMap).toBeDefined();
    expect(injected({ ...large, [mine]: 'false' }).configMap).toBeUndefined();
  });

  test('a pod that asks an injector without -config-maps is refused', () => {
    expect(() => injected({ [mine]: 'true' }, { ...on, configMaps: false })).toThrow(
      'error reading own annotations: meshroot.io/config-map: this injector writes no ConfigMaps: it was not started with -config-maps',
    );
  });

  test('has no effect beside a ConfigMap of the user, and says so', () => {
    const { configMap, warnings } = injected({ [mine]: 'true', [`${V}agent-configmap`]: 'own' });
    expect(configMap).toBeUndefined();
    expect(warnings).toEqual([
      'agent-configmap is given: the agents read that one, and config-map has no effect',
    ]);
  });

  test.each<[string, Record<string, string>, string]>([
    ['a password', { [`${V}auth-config-password`]: 'hunter2' }, 'auto_auth.method.config.password'],
    ['a secret id', { [`${V}auth-config-secret-id`]: 'hunter2' }, 'auto_auth.method.config.secret_id'],
    [
      'a token of telemetry',
      { [`${V}agent-telemetry-circonus-api-token`]: 'hunter2' },
      'telemetry.circonus_api_token',
    ],
    [
      'a key in a template',
      { [`${V}agent-inject-template-x`]: '-----BEGIN EC PRIVATE KEY-----\nhunter2' },
      'template[0].contents',
    ],
    [
      'a token in a template',
      { [`${V}agent-inject-template-x`]: `hvs.${'hunter2'.repeat(5)}` },
      'template[0].contents',
    ],
    ['a password in the address', { [`${V}service`]: 'https://me:hunter2@vault' }, 'vault.address'],
  ])('with %s is refused, by its place and without its value', (_, marks, place) => {
    const attempt = () => injected({ [mine]: 'true', ...marks });
    expect(attempt).toThrow(
      `error creating patch for agent: ${place} of the agents' configuration looks like a secret`,
    );
    expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });

  test('paths of secrets are none', () => {
    const marks = {
      [`${V}auth-config-secret-id-file-path`]: '/vault/custom/secret-id',
      [`${V}client-key`]: '/vault/tls/key.pem',
      [`${V}agent-inject-token`]: 'true',
    };
    expect(injected({ [mine]: 'true', ...marks }).configMap).toBeDefined();
  });

  test('is explained, with what would be written', () => {
    const { agents, configMap } = explain(podOf({ [mine]: 'true' }), 'demo', on);
    expect(configMap).toMatch(/^meshroot-agent-config-/);
    expect(agents).toMatchObject([
      { name: 'vault-agent-init', configuration: { exit_after_auth: true } },
      { name: 'vault-agent', configuration: { exit_after_auth: false } },
    ]);
  });
});
