import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  swapFiles,
  tempFolder,
  testBundle,
  testCsr,
  testRoot,
  writeFiles,
} from '../../../src/istio/test-mesh.ts';
import { requestCertificate } from '../../../src/istio/workload-request.ts';
import { tokenReviewApi } from '../../support/token-review-api.ts';

const bin = new URL('../../../bin/meshroot', import.meta.url).pathname;

/** `meshroot …` as a process of its own, with what it prints. */
function start(args: readonly string[], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(bin, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (part) => {
      output += String(part);
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    output: () => output,
    ended,
    shows: (text: string | RegExp) =>
      vi.waitFor(() => expect(output).toMatch(text), { timeout: 15_000, interval: 20 }),
    stop: async () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

describe('meshroot ca, the process', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let api: Awaited<ReturnType<typeof tokenReviewApi>>;
  let kubeconfig: string;
  const running: { stop: () => Promise<unknown> }[] = [];
  const flags = () => [
    '--kubeconfig',
    kubeconfig,
    '--listen',
    '127.0.0.1:0',
    '--metrics',
    '127.0.0.1:0',
    '--cluster',
    'c1',
  ];
  const run = (args: readonly string[], env?: Record<string, string>) => {
    const process_ = start(args, env);
    running.push(process_);
    return process_;
  };

  beforeEach(async () => {
    folder = await tempFolder();
    api = await tokenReviewApi();
    kubeconfig = join(await tempFolder().then((f) => f.path), 'kubeconfig');
    await writeFile(kubeconfig, api.kubeconfig);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.stop()));
    await api.close();
    await folder.remove();
  });

  async function serving(env: Record<string, string> = {}) {
    const root = await testRoot();
    await swapFiles(folder.path, await testBundle(root), '1');
    const ca = run(['ca', '--root-ca-dir', folder.path, ...flags()], env);
    await ca.shows(/discovery service at 127\.0\.0\.1:\d+/);
    const [, port] = /discovery service at 127\.0\.0\.1:(\d+)/.exec(ca.output()) ?? [];
    const ask = async (token: string, timeout = 20_000) =>
      requestCertificate({
        timeout,
        address: `127.0.0.1:${port}`,
        serverName: 'istiod.istio-system.svc',
        rootPem: root.certificate.pem,
        csr: (await testCsr()).csr,
        ttl: 3_600_000,
        token,
      });
    return { ca, root, ask, port: Number(port) };
  }

  test('reviews tokens, signs, publishes the root, follows a swap, and ends cleanly', async () => {
    const { ca, root, ask } = await serving();
    expect(await ask('good:demo:shop')).toHaveLength(3);
    await expect(ask('good:demo:shop:vault')).rejects.toMatchObject({ grpcCode: 16 });
    await vi.waitFor(() => expect(api.root('demo')).toBe(root.certificate.pem));
    const next = await testBundle(root, { name: 'next' });
    await swapFiles(folder.path, next, '2');
    await ca.shows(
      'Istiod has detected the newly added intermediate CA and updated its key and certs accordingly',
    );
    expect((await ask('good:demo:shop'))[1]).toBe(next['ca-cert.pem']);
    expect(await ca.stop()).toBe(0);
    expect(ca.output()).not.toContain('PRIVATE KEY');
  });

  test('a root that grows reaches every namespace', async () => {
    const { ca, root } = await serving({ ISTIO_MULTIROOT_MESH: 'true' });
    const both = root.certificate.pem + (await testRoot('B')).certificate.pem;
    await swapFiles(folder.path, await testBundle(root, { rootPem: both }), '2');
    await ca.shows('Updating new ROOT-CA');
    await vi.waitFor(() => expect(api.root('default')).toBe(both), 10_000);
  });

  test('a reviewer that does not answer costs five seconds and code 14', async () => {
    const { ask } = await serving();
    api.state.hang = true;
    // whose own patience ends first sees a deadline and no status of the CA
    await expect(ask('good:demo:shop', 9000)).rejects.toMatchObject({
      grpcCode: 14,
      message: 'token review is not available, try again',
    });
  });

  test('istiod’s own command line works unchanged', async () => {
    await swapFiles(folder.path, await testBundle(await testRoot()), '1');
    const listen = ['secureGRPCAddr', 'monitoringAddr', 'httpAddr', 'grpcAddr'].map(
      (f) => `--${f}=127.0.0.1:0`,
    );
    const ca = run(
      [
        'ca',
        'discovery',
        ...listen,
        `--kubeconfig=${kubeconfig}`,
        '--registries=',
        '--keepaliveMaxServerConnectionAge',
        '30m',
      ],
      {
        ROOT_CA_DIR: folder.path,
        CLUSTER_ID: 'c1',
      },
    );
    await ca.shows('Istiod CA has started');
    expect(ca.output()).toContain(
      'not used by meshroot ca: --registries --grpcAddr --keepaliveMaxServerConnectionAge',
    );
  });

  test.each([
    ['nothing there', async () => ({}), /^no signing CA bundle in \S+ {6}istiod would invent/m],
    [
      'the key of another CA',
      async () => {
        const root = await testRoot();
        const [a, b] = [await testBundle(root), await testBundle(root)];
        return { ...a, 'ca-key.pem': b['ca-key.pem'] };
      },
      /^ca-key\.pem is not the key of /m,
    ],
  ])('%s: it does not start, and says why', async (_what, files, reason) => {
    await writeFiles(folder.path, await files());
    const ca = run(['ca', '--root-ca-dir', folder.path, ...flags()]);
    expect(await ca.ended).toBe(1);
    expect(ca.output()).toMatch(reason);
    expect(ca.output()).not.toContain('Istiod CA has started');
    expect(ca.output()).not.toContain('PRIVATE KEY');
    expect(ca.output()).not.toContain('should not happen');
  });

  test('a port that is taken is said so', async () => {
    await swapFiles(folder.path, await testBundle(await testRoot()), '1');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const ca = run(['ca', '--root-ca-dir', folder.path, ...flags(), '--listen', `127.0.0.1:${port}`]);
    expect(await ca.ended).toBe(2);
    expect(ca.output()).toContain(`cannot listen on 127.0.0.1:${port}`);
    taken.close();
  });

  test('no cluster and no keys: nothing could tell good tokens from bad ones', async () => {
    await swapFiles(folder.path, await testBundle(await testRoot()), '1');
    const ca = run(['ca', '--root-ca-dir', folder.path, '--listen', '127.0.0.1:0']);
    expect(await ca.ended).toBe(2);
    expect(ca.output()).toContain('give --kubeconfig FILE (TokenReview) or --jwks FILE|URL --issuer ISSUER');
  });

  test('a workload gets its certificate and renews it', async () => {
    const { root, port } = await serving();
    const files = await tempFolder();
    await writeFile(join(files.path, 'token'), 'good:demo:shop');
    await writeFile(join(files.path, 'root.pem'), root.certificate.pem);
    const workload = run(['workload', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0'], {
      CA_ADDR: `127.0.0.1:${port}`,
      CA_ROOT_CA: join(files.path, 'root.pem'),
      TOKEN: join(files.path, 'token'),
      POD_NAMESPACE: 'demo',
      SERVICE_ACCOUNT: 'shop',
      OUTPUT_CERTS: join(files.path, 'out'),
      SECRET_TTL: '4s',
    });
    await workload.shows(/answering peers at/);
    await vi.waitFor(() => expect(workload.output().match(/is in use/g)?.length).toBeGreaterThan(1), 10_000);
    expect(await workload.stop()).toBe(0);
    await files.remove();
  });
});
