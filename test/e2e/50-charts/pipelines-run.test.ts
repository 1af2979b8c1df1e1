import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { shellIn } from '../../support/in-shell.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { type OidcPlatform, startOidcPlatform } from '../../support/oidc-platform.ts';
import { runHere } from '../../support/run-here.ts';

const examples = new URL('../../../examples/pipelines/', import.meta.url).pathname;
const read = (name: string) => readFileSync(join(examples, name), 'utf8');
const audience = 'https://vault.example:8200';

interface Step {
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Record<string, string>;
}

describe('the steps of the pipelines, run for real against a store with a JWT login', () => {
  let world: MeshWorld;
  let platform: OidcPlatform;
  const kubeToken = async (): Promise<string> => {
    const kube = world.kubes.get('eu')!;
    const { token } = await kube.tokenRequest('kube-system', 'pipeline', { expirationSeconds: 900 });
    return token.reveal();
  };

  beforeAll(async () => {
    [world, platform] = await Promise.all([startMeshWorld(), startOidcPlatform()]);
    await repository();
    await clusterUser();
    await vaultRoles();
  });
  afterAll(async () => {
    platform?.close();
    await world?.stop();
  });

  /** What a checkout of the repository holds. */
  async function repository(): Promise<void> {
    copyFileSync(join(examples, 'login.mjs'), join(world.dir, 'login.mjs'));
    const config = parse(read('ci.kubeconfig'));
    const own = parse(readFileSync(join(world.dir, 'eu.kubeconfig'), 'utf8'));
    config.clusters = [{ name: 'prod-eu', cluster: own.clusters[0].cluster }];
    writeFileSync(join(world.dir, 'ci.kubeconfig'), stringify(config));
    const file = `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "${world.vaultAddress}" }\nclusters: [{ name: prod-eu, context: prod-eu, kv: 2 }]\n`;
    writeFileSync(join(world.dir, 'mesh.yaml'), file);
  }

  async function clusterUser(): Promise<void> {
    const kube = world.kubes.get('eu')!;
    const metadata = { name: 'pipeline', namespace: 'kube-system' };
    await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    await kube.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'pipeline' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    });
  }

  /** The roles of the README as they stand there, and the policies that meshroot prints. */
  async function vaultRoles(): Promise<void> {
    for (const [policy, role] of [
      ['mesh-plan', 'auditor'],
      ['mesh-apply', 'operator'],
    ] as const) {
      expect(read('README.md')).toContain(
        `meshroot policy print ${role} -f mesh.yaml | vault policy write ${policy} -`,
      );
      const printed = await runHere(['policy', 'print', role, '-f', join(world.dir, 'mesh.yaml')]);
      await world.vault.write(`sys/policies/acl/${policy}`, { policy: printed.stdout });
    }
    const roles = [
      ...read('README.md').matchAll(/vault write (auth\/\S+\/role\/\S+) - <<'JSON'\n([\s\S]*?)\nJSON/g),
    ];
    expect(roles).toHaveLength(4);
    for (const mount of ['jwt-github', 'jwt-gitlab']) {
      await world.vault.write(`sys/auth/${mount}`, { type: 'jwt' });
      const trust = { jwt_validation_pubkeys: platform.publicKey, bound_issuer: platform.issuer };
      await world.vault.write(`auth/${mount}/config`, trust);
    }
    for (const [, path, json] of roles) await world.vault.write(path ?? '', JSON.parse(json ?? ''));
  }

  let shells = 0;
  /** Runs what a runner would, until a step fails; the code of that step. */
  async function runSteps(
    steps: readonly Step[],
    env: Record<string, string>,
  ): Promise<{ code: number; output: string }> {
    let output = '';
    for (const { run, shell, env: own } of steps) {
      if (run === undefined) continue;
      const home = join(world.dir, `.runner-${shells++}`);
      const all = {
        ...env,
        ...own,
        HOME: world.dir,
        VAULT_ADDR: world.vaultAddress,
        VAULT_AUDIENCE: audience,
      };
      const command =
        shell === undefined ? `sh -ec "$STEP"` : `bash --noprofile --norc -eo pipefail -c "$STEP"`;
      const result = await shellIn(
        home,
        all,
      )(`cd "${world.dir}"; export HOME="${world.dir}"; ${command.replace('"$STEP"', quoted(run))}`);
      output += result.stdout + result.stderr;
      if (result.code !== 0) return { code: result.code, output };
    }
    return { code: 0, output };
  }
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

  const branch = {
    repository: 'example/mesh',
    sub: 'repo:example/mesh:pull_request',
    ref: 'refs/pull/1/merge',
  };
  const main = {
    repository: 'example/mesh',
    sub: 'repo:example/mesh:environment:mesh',
    ref: 'refs/heads/main',
  };
  const github = (job: 'plan' | 'apply', event: string, claims: object) => {
    const { jobs, env } = parse(read('github-actions.yml'));
    const summary = join(world.dir, 'summary.md');
    writeFileSync(summary, '');
    const others = { [env.KUBE_AUDIENCE]: kubeToken };
    const tokens = platform.githubJob({ ...claims }, others);
    return runSteps(jobs[job].steps, {
      ...env,
      ...tokens,
      GITHUB_EVENT_NAME: event,
      GITHUB_STEP_SUMMARY: summary,
    });
  };
  const gitlab = async (job: 'plan' | 'apply' | 'drift', claims: Record<string, string>) => {
    const all = parse(read('gitlab-ci.yml'));
    const scripts = [...all['.login'].before_script, ...all[job].script].map((run: string) => ({ run }));
    const aud = all['.login'].id_tokens.VAULT_ID_TOKEN.aud;
    const tokens = {
      VAULT_ID_TOKEN: await platform.sign({ sub: 'x', ...claims }, aud),
      KUBE_ID_TOKEN: await kubeToken(),
    };
    const script = [{ run: scripts.map(({ run }) => run).join('\n') }];
    return runSteps(script, { ...all.variables, ...all[job].variables, ...tokens });
  };
  const project = { project_path: 'example/mesh', ref: 'feature', ref_protected: 'false' };
  const protectedMain = { ...project, ref: 'main', ref_protected: 'true' };

  test('a pull request shows the plan and passes; the same difference at night is an alarm', async () => {
    const shown = await github('plan', 'pull_request', branch);
    expect(shown).toMatchObject({ code: 0, output: expect.stringContaining('a merge would change this') });
    expect(readFileSync(join(world.dir, 'summary.md'), 'utf8')).toContain('+ role istiod');
    expect(await github('plan', 'schedule', branch)).toMatchObject({
      code: 1,
      output: expect.stringContaining('::error::the world differs from mesh.yaml'),
    });
    expect((await gitlab('plan', project)).code).toBe(0);
    expect((await gitlab('drift', project)).code).toBe(1);
  });

  test('a branch cannot log in to apply, whatever its pipeline says', async () => {
    for (const result of [await github('apply', 'push', branch), await gitlab('apply', project)]) {
      expect(result).toMatchObject({
        code: 2,
        output: expect.stringMatching(/^no login: HTTP 400: error validating claims/),
      });
    }
    expect(Object.keys((await world.vault.read('sys/mounts'))?.data ?? {})).not.toContain(
      'kubernetes-prod-eu-secrets/',
    );
  });

  test('a merge applies and finds nothing left; the night is quiet then', async () => {
    const merged = await github('apply', 'push', main);
    expect(merged).toMatchObject({ code: 0, output: expect.stringContaining('proof prod-eu') });
    expect(merged.output).toContain('nothing to change. nothing was written');
    expect((await github('plan', 'schedule', branch)).code).toBe(0);
    expect((await gitlab('drift', project)).code).toBe(0);
    expect((await gitlab('apply', protectedMain)).code).toBe(0);
  });

  test('a policy changed by hand is drift', async () => {
    const path = 'sys/policies/acl/istiod-certs-prod-eu';
    const before = (await world.vault.read(path))?.data ?? {};
    await world.vault.write(path, { policy: `${before.policy}path "*" { capabilities = ["read"] }\n` });
    for (const result of [await github('plan', 'schedule', branch), await gitlab('drift', project)]) {
      expect(result).toMatchObject({
        code: 1,
        output: expect.stringContaining('policy istiod-certs-prod-eu'),
      });
    }
    await world.vault.write(path, { policy: before.policy });
  });

  test('a plan that could not see all passes nowhere', async () => {
    const path = 'sys/policies/acl/mesh-plan';
    const policy = String((await world.vault.read(path))?.data?.policy);
    await world.vault.write(path, {
      policy: policy.replace(/path "auth\/kubernetes-prod-eu\/role\/[^}]*\}\n/, ''),
    });
    const all = [
      await github('plan', 'pull_request', branch),
      await github('plan', 'schedule', branch),
      await gitlab('plan', project),
      await gitlab('drift', project),
    ];
    expect(all.map(({ output }) => output.includes('? role istiod'))).toEqual([true, true, true, true]);
    expect(all.map(({ code }) => code === 0)).toEqual([false, false, false, false]);
    expect(all[0]?.output).toContain('::error::the plan could not see everything');
  });
});
