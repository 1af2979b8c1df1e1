import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyPatch } from '../lib/json-patch.ts';
import { inject } from './inject.ts';
import { defaultSettings, type InjectorSettings } from './settings.ts';

const mount = { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
interface Agent {
  name: string;
  args: string[];
  env: { name: string; value: string }[];
  restartPolicy?: string;
  startupProbe?: { exec: { command: string[] }; failureThreshold: number };
  securityContext?: Record<string, unknown>;
}
interface Patched {
  spec: {
    volumes: { name: string; emptyDir?: object }[];
    initContainers: Agent[];
    containers: Agent[];
  };
}

function injected(marks: Record<string, string>, more: Partial<InjectorSettings> = {}, spec: object = {}) {
  const annotations = Object.fromEntries(
    Object.entries({ 'agent-inject': 'true', role: 'r', 'agent-inject-secret-x': 'kv/x', ...marks }).map(
      ([name, value]) => [name.includes('/') ? name : `vault.hashicorp.com/${name}`, value],
    ),
  );
  const containers = [{ name: 'app', volumeMounts: [mount] }];
  const pod = {
    metadata: { name: 'p', annotations },
    spec: { containers, volumes: [{ name: 'token' }], ...spec },
  };
  const settings = { ...defaultSettings, vaultAddress: 'https://vault:8200', ...more };
  const injection = inject(pod, 'demo', settings);
  if (injection.kind !== 'injected') throw new Error('left alone');
  return { ...injection, pod: applyPatch(pod, injection.patch) as Patched };
}
const names = (containers: readonly { name: string }[] = []) => containers.map(({ name }) => name);
const configOf = (agent: Agent | undefined): Record<string, unknown> => {
  const parts = agent?.env.filter(({ name }) => name.startsWith('VAULT_CONFIG')) ?? [];
  return JSON.parse(Buffer.from(parts.map(({ value }) => value).join(''), 'base64').toString());
};

describe('meshroot.io/native-sidecar', () => {
  const inits = [{ name: 'first' }];

  test('is one agent among the init containers, which stays and is waited for', () => {
    const { pod } = injected({ 'meshroot.io/native-sidecar': 'true' }, {}, { initContainers: inits });
    expect(names(pod.spec.initContainers)).toEqual(['first', 'vault-agent']);
    expect(names(pod.spec.containers)).toEqual(['app']);
    const agent = pod.spec.initContainers[1];
    expect(agent?.restartPolicy).toBe('Always');
    expect(agent?.startupProbe?.exec.command.slice(-2)).toEqual([
      '/home/vault/.vault-token',
      '/vault/secrets/x',
    ]);
    expect(configOf(agent).exit_after_auth).toBe(false);
    expect(names(pod.spec.volumes)).toEqual(['token', 'home-sidecar', 'vault-secrets']);
  });

  test('goes in front with agent-init-first, and without pre-populate nothing waits for it', () => {
    const first = injected(
      { 'meshroot.io/native-sidecar': 'true', 'agent-init-first': 'true', 'agent-pre-populate': 'false' },
      {},
      { initContainers: inits },
    );
    expect(names(first.pod.spec.initContainers)).toContain('vault-agent');
    expect(
      first.pod.spec.initContainers.find(({ name }) => name === 'vault-agent')?.startupProbe,
    ).toBeUndefined();
    const gated = injected(
      { 'meshroot.io/native-sidecar': 'true', 'agent-init-first': 'true' },
      {},
      { initContainers: inits },
    );
    expect(names(gated.pod.spec.initContainers)).toEqual(['vault-agent', 'first']);
  });

  test('keeps its cache to itself, as there is no init agent to take it over from', () => {
    const { pod } = injected({ 'meshroot.io/native-sidecar': 'true', 'agent-cache-enable': 'true' });
    expect(configOf(pod.spec.initContainers[0]).cache).toEqual({ use_auto_auth_token: 'true' });
    expect(names(pod.spec.volumes)).not.toContain('vault-agent-cache');
  });

  test('is the default of an injector that says so, and a pod can leave it', () => {
    const settings = { nativeSidecar: true };
    expect(names(injected({}, settings).pod.spec.containers)).toEqual(['app']);
    const left = injected({ 'meshroot.io/native-sidecar': 'false' }, settings);
    expect(names(left.pod.spec.containers)).toEqual(['app', 'vault-agent']);
  });

  test('has no effect on an agent that is meant to end, and says so', () => {
    const { pod, warnings } = injected({
      'meshroot.io/native-sidecar': 'true',
      'agent-pre-populate-only': 'true',
    });
    expect(names(pod.spec.initContainers)).toEqual(['vault-agent-init']);
    expect(warnings).toEqual([
      'agent-pre-populate-only is true: the agent ends, and native-sidecar has no effect',
    ]);
  });

  test('is ready when the token and every file are there, empty files too', () => {
    const { pod } = injected({ 'meshroot.io/native-sidecar': 'true', 'agent-inject-secret-y': 'kv/y' });
    const folder = mkdtempSync(join(tmpdir(), 'probe-'));
    const command = pod.spec.initContainers[0]?.startupProbe?.exec.command ?? [];
    const [shell = '', ...args] = command.map((word) =>
      word.startsWith('/home') || word.startsWith('/vault')
        ? join(folder, word.split('/').at(-1) ?? '')
        : word,
    );
    const ready = (): boolean => {
      try {
        execFileSync(shell, args);
        return true;
      } catch {
        return false;
      }
    };
    try {
      writeFileSync(join(folder, 'x'), '');
      writeFileSync(join(folder, 'y'), 'y');
      writeFileSync(join(folder, '.vault-token'), '');
      expect(ready()).toBe(false);
      writeFileSync(join(folder, '.vault-token'), 't');
      expect(ready()).toBe(true);
      rmSync(join(folder, 'x'));
      expect(ready()).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the security profile', () => {
  test.each([
    ['RuntimeDefault', { type: 'RuntimeDefault' }],
    ['Localhost/profiles/agent.json', { type: 'Localhost', localhostProfile: 'profiles/agent.json' }],
  ])('meshroot.io/seccomp-profile %s is that of both agents', (text, profile) => {
    const { pod } = injected({ 'meshroot.io/seccomp-profile': text });
    for (const agent of [pod.spec.initContainers[0], pod.spec.containers[1]])
      expect(agent?.securityContext?.seccompProfile).toEqual(profile);
  });

  test.each(['yes', 'Localhost/', 'Localhost//etc/x', 'Localhost/../x'])('%s is refused', (text) => {
    expect(() => injected({ 'meshroot.io/seccomp-profile': text })).toThrow(
      `error reading own annotations: meshroot.io/seccomp-profile: ${JSON.stringify(text)} is no seccomp profile`,
    );
  });

  test('is not added by itself: without it the patch is that of vault-k8s', () => {
    expect(JSON.stringify(injected({}).patch)).not.toMatch(/seccomp|sizeLimit|restartPolicy|startupProbe/);
  });
});

describe('meshroot.io/tmpfs-size-limit', () => {
  test('bounds every volume in memory', () => {
    const { pod } = injected({ 'meshroot.io/tmpfs-size-limit': '1024Ki', 'agent-cache-enable': 'true' });
    const own = pod.spec.volumes.filter(({ name }) => name !== 'token');
    expect(own.map(({ emptyDir }) => emptyDir)).toEqual(
      own.map(() => ({ medium: 'Memory', sizeLimit: '1Mi' })),
    );
    expect(own).toHaveLength(4);
  });

  test.each(['lots', '0', '-1Mi'])('%s is refused', (text) => {
    expect(() => injected({}, { tmpfsSizeLimit: text })).toThrow(
      expect.objectContaining({
        code: 'injection-refused',
        message: expect.stringContaining('meshroot.io/tmpfs-size-limit: '),
      }),
    );
  });
});

describe('a configuration that is longer than an environment variable may be', () => {
  const marks = Object.fromEntries(
    [1, 2].map((i) => [`agent-inject-template-t${i}`, `${'ä{{ x }}'.repeat(8000)}${i}`]),
  );

  test('comes in parts, which the shell of the agent puts together', () => {
    const { pod } = injected(marks);
    const [init] = pod.spec.initContainers;
    const parts = init?.env.filter(({ name }) => name.startsWith('VAULT_CONFIG')) ?? [];
    expect(names(parts)).toEqual(['VAULT_CONFIG', 'VAULT_CONFIG_2']);
    for (const { name, value } of parts) expect(`${name}=${value}`.length).toBeLessThan(131_072);
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    try {
      const script = (init?.args[0] ?? '').replaceAll('/home/vault', home).replace(/ && exec .*/, '');
      const env = Object.fromEntries(parts.map(({ name, value }) => [name, value]));
      execFileSync('/bin/sh', ['-ec', script], { env: { ...env, PATH: process.env.PATH } });
      expect(JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))).toEqual(configOf(init));
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('is one variable, and the words of vault-k8s, when it is short', () => {
    const [init] = injected({}).pod.spec.initContainers;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: for the shell
    expect(init?.args[0]).toContain('echo ${VAULT_CONFIG?} | base64 -d > /home/vault/config.json && ');
  });
});
