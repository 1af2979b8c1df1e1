import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../../../src/cli/commands.ts';

const root = new URL('../../../', import.meta.url).pathname;
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

describe('login.mjs', () => {
  let home: string;
  let server: Server;
  let asked: { url: string; body: string; authorization: string | undefined }[];
  let answer: { status: number; body: string };

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'meshroot-login-'));
    asked = [];
    const auth = { client_token: 'hvs.pipeline', token_policies: ['mesh-plan'], lease_duration: 900 };
    answer = { status: 200, body: JSON.stringify({ auth }) };
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const url = request.url ?? '';
      asked.push({ url, body, authorization: request.headers.authorization });
      if (url.startsWith('/github'))
        return response.end(JSON.stringify({ value: `jwt for ${url.split('audience=')[1]}` }));
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(home, { recursive: true });
  });

  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (env: Record<string, string>): Promise<{ code: number; output: string }> =>
    new Promise((resolve) => {
      const script = join(root, 'examples/pipelines/login.mjs');
      const all = { HOME: home, VAULT_ADDR: address(), VAULT_AUTH_ROLE: 'mesh-plan', ...env };
      execFile(process.execPath, [script], { cwd: home, env: all }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
      });
    });
  const modeOf = (name: string): number => statSync(join(home, name)).mode & 0o777;

  test("with GitLab's tokens leaves both for this user alone, and prints neither", async () => {
    writeFileSync(join(home, '.vault-token'), 'old', { mode: 0o644 });
    const env = { VAULT_AUTH_MOUNT: 'jwt-gitlab', VAULT_ID_TOKEN: 'signed', KUBE_ID_TOKEN: 'signed-too' };
    expect(await run(env)).toEqual({ code: 0, output: 'logged in as mesh-plan with mesh-plan for 900 s\n' });
    expect(asked).toMatchObject([
      { url: '/v1/auth/jwt-gitlab/login', body: '{"role":"mesh-plan","jwt":"signed"}' },
    ]);
    expect(readFileSync(join(home, '.vault-token'), 'utf8')).toBe('hvs.pipeline');
    expect(readFileSync(join(home, 'kube-token'), 'utf8')).toBe('signed-too');
    expect([modeOf('.vault-token'), modeOf('kube-token')]).toEqual([0o600, 0o600]);
  });

  test('on GitHub asks for a token for Vault and one for the clusters', async () => {
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${address()}/github?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of the job',
      VAULT_AUDIENCE: 'vault',
      KUBE_AUDIENCE: 'clusters',
    };
    expect(await run(env)).toMatchObject({ code: 0 });
    expect(asked).toMatchObject([
      { url: '/github?v=1&audience=vault', authorization: 'Bearer of the job' },
      { url: '/v1/auth/jwt/login', body: '{"role":"mesh-plan","jwt":"jwt for vault"}' },
      { url: '/github?v=1&audience=clusters' },
    ]);
    expect(readFileSync(join(home, 'kube-token'), 'utf8')).toBe('jwt for clusters');
  });

  test("says Vault's reason when it refuses, and leaves no token", async () => {
    answer = { status: 400, body: '{"errors":["error validating claims: claim \\"sub\\" does not match"]}' };
    expect(await run({ VAULT_ID_TOKEN: 'signed' })).toEqual({
      code: 2,
      output: 'no login: HTTP 400: error validating claims: claim "sub" does not match\n',
    });
    expect(existsSync(join(home, '.vault-token'))).toBe(false);
  });

  test('says what is missing', async () => {
    expect(await run({})).toEqual({
      code: 2,
      output: 'no login: no VAULT_ID_TOKEN, and the job has no permission "id-token: write"\n',
    });
    expect(await run({ VAULT_AUTH_ROLE: '' })).toMatchObject({
      output: 'no login: set VAULT_ADDR and VAULT_AUTH_ROLE\n',
    });
    answer = { status: 502, body: '<html>' };
    expect(await run({ VAULT_ID_TOKEN: 'x' })).toMatchObject({ output: 'no login: HTTP 502, and no JSON\n' });
  });
});

describe('the pipelines', () => {
  const files = ['examples/pipelines/github-actions.yml', 'examples/pipelines/gitlab-ci.yml'];

  test.each(files)('%s is YAML, types commands that exist, and holds no secret', (name) => {
    const text = read(name);
    parse(text);
    const typed = [...text.matchAll(/\bmeshroot (plan|apply|[a-z]+) -/g)].map(([, command]) => command ?? '');
    expect(new Set(typed)).toEqual(new Set(['plan', 'apply']));
    expect(typed.filter((command) => !Object.hasOwn(commands, command))).toEqual([]);
    expect(text).not.toMatch(/secrets\.|hvs\.|VAULT_TOKEN\b/);
  });

  test('on GitHub a pull request never applies, forks get no token, and only the jobs may ask for one', () => {
    const { jobs, permissions } = parse(read(files[0] ?? ''));
    expect(permissions).toEqual({});
    expect(jobs.apply).toMatchObject({ if: "github.event_name == 'push'", environment: 'mesh' });
    expect(jobs.plan.if).toContain('head.repo.full_name == github.repository');
    expect(JSON.stringify(jobs.plan)).not.toContain('meshroot apply');
    for (const job of [jobs.plan, jobs.apply]) {
      expect(job.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    }
  });

  test('on GitLab only the default branch applies, one at a time', () => {
    const jobs = parse(read(files[1] ?? ''));
    expect(jobs.apply).toMatchObject({ resource_group: 'mesh', environment: 'mesh' });
    expect(jobs.apply.rules[0].if).toContain('$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH');
    expect(jobs.drift.rules[0].if).toBe('$CI_PIPELINE_SOURCE == "schedule"');
    expect(JSON.stringify([jobs.plan, jobs.drift])).not.toContain('meshroot apply');
  });

  test('the kubeconfig holds no secret', () => {
    const { users } = parse(read('examples/pipelines/ci.kubeconfig'));
    expect(users).toEqual([{ name: 'pipeline', user: { tokenFile: 'kube-token' } }]);
  });
});

describe('the Dockerfile', () => {
  const text = read('Dockerfile');

  test('makes by default an image without a shell for a user that is not root', () => {
    const stages = text.split(/^FROM /m).slice(1);
    expect(stages.at(-1)).toMatch(/^gcr\.io\/distroless\/nodejs22-debian12:nonroot AS meshroot\n/);
    expect(stages.at(-1)).toContain('\nUSER 65532:65532\n');
    expect(stages.at(-1)).not.toMatch(/^RUN/m);
    expect(stages.find((stage) => stage.includes(' AS agent\n'))).toContain('\nUSER 100:1000\n');
  });

  test('gets what its build needs and nothing else', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(sent.filter((name) => !existsSync(join(root, name)))).toEqual([]);
    expect(sent).toEqual(expect.arrayContaining(['bin', 'src', 'package-lock.json', 'tsconfig.build.json']));
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { build: string } };
    const files = scripts.build.split(' ').filter((word) => existsSync(join(root, word)));
    expect(files).toContain('scripts/bundle.mjs');
    const called = files.flatMap((file) =>
      [...read(file).matchAll(/new URL\('([^'/]+)', import\.meta\.url\)/g)].map(
        ([, name]) => `scripts/${name}`,
      ),
    );
    expect(called).toContain('scripts/bundle-cache.mjs');
    expect(sent).toEqual(expect.arrayContaining([...files, ...called]));
  });
});
