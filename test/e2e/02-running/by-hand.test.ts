import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubectlPath } from '../../support/kubectl.ts';
import { type Run, runMeshroot, startMeshroot } from '../../support/meshroot.ts';

const base = mkdtempSync(join(tmpdir(), 'running-'));
const dir = join(base, 'd');
const meshFile = join(dir, 'mesh.yaml');
let up: Run;
let address = '';
let token = '';

beforeAll(async () => {
  up = startMeshroot(['up', '--dir', dir, '--port-base', '0']);
  await up.until(/Ctrl-C ends it/);
  address = /VAULT_ADDR='([^']+)'/.exec(readFileSync(join(dir, 'env.sh'), 'utf8'))?.[1] ?? '';
  token = readFileSync(join(dir, 'vault-token'), 'utf8').trim();
});
afterAll(async () => {
  up.child.kill('SIGTERM');
  await up.ended;
  rmSync(base, { recursive: true, force: true });
});

function kubectl(cluster: string, ...args: string[]): string {
  const env = { PATH: process.env.PATH ?? '', HOME: base };
  return execFileSync(kubectlPath(), ['--kubeconfig', join(dir, `${cluster}.kubeconfig`), ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

async function vault(
  method: string,
  path: string,
  body?: unknown,
  as = token,
): Promise<{ status: number; body: VaultBody }> {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    headers: as === '' ? {} : { 'X-Vault-Token': as },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

/** The parts of Vault's answers that are looked at here. */
interface VaultBody {
  readonly auth: { readonly client_token: string; readonly policies: string[] };
  readonly data: { readonly [key: string]: string } & { readonly data: unknown };
  readonly sealed: boolean;
}

const meshroot = (...args: string[]) => runMeshroot(args, { env: { VAULT_TOKEN: token } });

describe('beside a running up', () => {
  test.each(['cluster1', 'cluster2'])(
    'kubectl lists the pods of %s and shows the injected init container and its log',
    (cluster) => {
      const table = kubectl(cluster, 'get', 'pods', '-A');
      expect(table).toMatch(/istio-system\s+istiod-\S+\s+2\/2\s+Running/);
      expect(table).toMatch(/vault\s+vault-agent-injector-\S+\s+1\/1\s+Running/);
      const described = kubectl(cluster, '-n', 'istio-system', 'describe', 'pods', '-l', 'app=istiod');
      expect(described).toContain('vault-agent-init:');
      expect(described).toContain('vault.hashicorp.com/agent-inject-status: injected');
      const log = kubectl(
        cluster,
        '-n',
        'istio-system',
        'logs',
        '-l',
        'app=istiod',
        '-c',
        'vault-agent-init',
        '--tail=-1',
      );
      expect(log).toContain('auth.handler: authentication successful, sending token to sinks');
      expect(log).toMatch(/\(runner\) rendered "\(dynamic\)" => ".*\/ca-key\.pem"/);
      expect(
        kubectl(cluster, '-n', 'istio-system', 'logs', '-l', 'app=istiod', '-c', 'discovery', '--tail=-1'),
      ).toContain('Istiod CA has started');
    },
  );

  test('a login as in the seed reads its own bundle and is refused the other one', async () => {
    const jwt = kubectl('cluster1', '-n', 'istio-system', 'create', 'token', 'istiod').trim();
    const login = await vault('PUT', 'auth/kubernetes-cluster1/login', { role: 'istiod', jwt }, '');
    expect(login.status).toBe(200);
    expect(login.body.auth).toMatchObject({ policies: ['default', 'istiod-certs-cluster1'], orphan: true });
    const own = await vault(
      'GET',
      'kubernetes-cluster1-secrets/istiod-service/certs',
      undefined,
      login.body.auth.client_token,
    );
    expect(Object.keys(own.body.data).sort()).toEqual(['ca_cert', 'ca_key', 'cert_chain', 'root_cert']);
    const other = await vault(
      'GET',
      'kubernetes-cluster2-secrets/istiod-service/certs',
      undefined,
      login.body.auth.client_token,
    );
    expect(other).toEqual({
      status: 403,
      body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] },
    });
    const foreign = await vault('PUT', 'auth/kubernetes-cluster2/login', { role: 'istiod', jwt }, '');
    expect(foreign).toEqual({ status: 403, body: { errors: ['permission denied'] } });
  });

  test('no object of Kubernetes holds the CA key', async () => {
    for (const cluster of ['cluster1', 'cluster2']) {
      const { body } = await vault('GET', `kubernetes-${cluster}-secrets/istiod-service/certs`);
      const line = body.data.ca_key?.split('\n')[1] ?? '';
      expect(line.length).toBeGreaterThan(40);
      const kinds = kubectl(cluster, 'api-resources', '--verbs=list', '-o', 'name')
        .trim()
        .split('\n')
        .join(',');
      const dump = kubectl(cluster, 'get', kinds, '-A', '-o', 'json');
      expect(dump).toContain('"kind": "Pod"');
      expect(dump).toContain('"kind": "Deployment"');
      const text =
        dump +
        dump.replace(/[A-Za-z0-9+/]{40,}={0,2}/g, (b64) => Buffer.from(b64, 'base64').toString('latin1'));
      expect(text).not.toContain(line);
      expect(text).not.toContain('PRIVATE KEY');
    }
  });

  test('plan finds nothing to do; what somebody changes by hand it shows, and apply mends it', async () => {
    expect(await meshroot('plan', '-f', meshFile)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to change'),
    });
    await vault('PUT', 'sys/policies/acl/istiod-certs-cluster2', {
      policy:
        '# made by meshroot\npath "kubernetes-cluster2-secrets/*" {\n  capabilities = ["read", "list"]\n}\n',
    });
    const plan = await meshroot('plan', '-f', meshFile);
    expect(plan.code).toBe(1);
    expect(plan.stdout).toContain('~ policy istiod-certs-cluster2');
    expect(plan.stdout).toContain('- path "kubernetes-cluster2-secrets/*" {');
    expect(plan.stdout).toContain('0 to add, 1 to change, 0 to remove');
    const asked = await meshroot('apply', '-f', meshFile);
    expect(asked).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody is there to confirm this plan'),
    });
    const applied = await meshroot('apply', '-f', meshFile, '--yes', '--json');
    expect(applied.code).toBe(0);
    expect(JSON.parse(applied.stdout).written).toEqual([
      { group: 'cluster2', label: 'policy istiod-certs-cluster2', action: 'change' },
    ]);
    expect((await meshroot('plan', '-f', meshFile, '--json')).code).toBe(0);
  });

  test('rotate gives a cluster a new intermediate, confirmed, with its journal in Vault', async () => {
    const before = await vault('GET', 'kubernetes-cluster2-secrets/istiod-service/certs');
    const { code, stdout, stderr } = await meshroot('rotate', 'intermediate', 'cluster2', '--dir', dir);
    expect([code, stderr]).toEqual([0, expect.stringContaining('delivered')]);
    expect(stdout).toMatch(
      /^cluster2: intermediate [0-9a-f]+ -> [0-9a-f]+, confirmed by a fresh workload certificate/,
    );
    const after = await vault('GET', 'kubernetes-cluster2-secrets/istiod-service/certs');
    expect(after.body.data.ca_key).not.toBe(before.body.data.ca_key);
    expect(after.body.data.root_cert).toBe(before.body.data.root_cert);
    const journal = await vault('GET', 'meshroot-state/data/rotation/cluster2');
    expect(journal.body.data.data).toMatchObject({ cluster: 'cluster2', phase: 'confirmed' });
    expect(JSON.stringify(journal.body)).not.toContain('PRIVATE');
    const unknown = await meshroot('rotate', 'intermediate', 'cluster9', '--dir', dir);
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('mesh.yaml has no cluster "cluster9"      it has: cluster1, cluster2'),
    });
  });

  test('observe tells the denials of the log, by mount, role and reason', async () => {
    const { code, stdout } = await meshroot('observe', join(dir, 'audit.log'), '--once', '--json');
    expect(code).toBe(0);
    const denials = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(denials).toContainEqual(
      expect.objectContaining({ mount: 'kubernetes-cluster2-secrets/', role: 'istiod', reason: 'policy' }),
    );
    expect(denials).toContainEqual(
      expect.objectContaining({
        mount: 'auth/kubernetes-cluster1/',
        role: 'istiod',
        reason: expect.stringMatching(/^wrong-(service-account|namespace)$/), // demo/default is wrong in both
      }),
    );
    const missing = await meshroot('observe', join(dir, 'nothing.log'), '--once');
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('is not there') });
  });

  test('a store that is sealed, or not there, is one clear message', async () => {
    const key = readFileSync(join(dir, 'unseal-key'), 'utf8').trim();
    expect((await vault('PUT', 'sys/seal')).status).toBe(204);
    const sealed = await meshroot('plan', '-f', meshFile);
    expect(sealed).toMatchObject({ code: 2, stdout: '' });
    expect(sealed.stderr).toMatch(/vault answered 503 to GET \S+: Vault is sealed {6}unseal it/i);
    expect((await vault('PUT', 'sys/unseal', { key }, '')).body.sealed).toBe(false);
    const elsewhere = join(base, 'elsewhere.yaml');
    writeFileSync(elsewhere, readFileSync(meshFile, 'utf8').replace(address, 'http://127.0.0.1:9'));
    const gone = await meshroot('plan', '-f', elsewhere);
    expect(gone.code).toBe(2);
    expect(gone.stderr).toContain(
      'no answer from the vault at http://127.0.0.1:9 (ECONNREFUSED)      is it running',
    );
    const typo = join(base, 'typo.yaml');
    writeFileSync(typo, readFileSync(meshFile, 'utf8').replace('keyType: ec-p256', 'keyTyp: ec-p256'));
    expect(await meshroot('plan', '-f', typo)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean keyType?'),
    });
  });
});
