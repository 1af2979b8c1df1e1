import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  swapFiles,
  tempFolder,
  testBundle,
  testCsr,
  testIssuer,
  testRoot,
  tokenIssuer,
} from '../../../src/istio/test-mesh.ts';
import { requestCertificate } from '../../../src/istio/workload-request.ts';
import { type Run, startMeshroot } from '../../support/meshroot.ts';
import { letLoose, stormCallers } from '../../support/storm.ts';

const floodScript = fileURLToPath(new URL('../../support/csr-flood-process.ts', import.meta.url));

describe('meshroot ca under more than it can do at once', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let rootPem: string;
  let issuer: Awaited<ReturnType<typeof tokenIssuer>>;
  let ca: Run;
  let port: number;
  const ledger = () => join(folder.path, 'ledger');
  const lines = async (file: string) =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; caller: string; serial: string })
      .filter(({ event }) => event === 'issued');
  const ask = async (account: string) =>
    requestCertificate({
      address: `127.0.0.1:${port}`,
      serverName: 'istiod.istio-system.svc',
      rootPem,
      ttl: 3_600_000,
      csr: (await testCsr({ uri: `spiffe://cluster.local/ns/demo/sa/${account}` })).csr,
      token: await issuer.token({ account }),
    });

  beforeEach(async () => {
    folder = await tempFolder();
    const root = await testRoot();
    rootPem = root.certificate.pem;
    await swapFiles(folder.path, await testBundle(root), '1');
    issuer = await tokenIssuer();
    await writeFile(join(folder.path, 'jwks.json'), issuer.jwks);
    const files = [
      '--root-ca-dir',
      folder.path,
      '--jwks',
      join(folder.path, 'jwks.json'),
      '--ledger',
      ledger(),
    ];
    ca = startMeshroot(['ca', ...files, '--issuer', testIssuer, '--listen', '127.0.0.1:0']);
    const shown = await ca.until(/discovery service at 127\.0\.0\.1:\d+/);
    port = Number(shown.split(':').at(-1));
  });
  afterEach(async () => {
    ca.child.kill('SIGTERM');
    await ca.ended;
    await folder.remove();
  });

  test('a thousand identities at once: each is served, once, with a line in the ledger', async () => {
    const callers = await stormCallers(1000, issuer);
    const result = await letLoose({ port, rootPem, connections: 8, callers });
    expect(result).toMatchObject({ served: 1000, serials: 1000, identities: 1000 });
    ca.child.kill('SIGTERM');
    expect(await ca.ended).toBe(0);
    expect(ca.output.stdout).toContain('certificate requests are judged by a thread of their own');
    expect(ca.output.stdout).not.toContain('the thread that judges requests is gone');
    const issued = await lines(ledger());
    expect(issued).toHaveLength(1000);
    expect(new Set(issued.map(({ serial }) => serial)).size).toBe(1000);
    expect(new Set(issued.map(({ caller }) => caller)).size).toBe(1000);
  });

  test('a rotation of the ledger loses no line: SIGHUP opens it anew', async () => {
    await ask('before');
    await vi.waitFor(async () => expect(await lines(ledger())).toHaveLength(1));
    await rename(ledger(), `${ledger()}.1`);
    ca.child.kill('SIGHUP');
    await ca.until(/the ledger \S+ was opened again/);
    await ask('after');
    await vi.waitFor(async () => expect(await lines(ledger())).toHaveLength(1));
    const [[first], [second]] = [await lines(`${ledger()}.1`), await lines(ledger())];
    expect([first?.caller, second?.caller]).toEqual([
      'spiffe://cluster.local/ns/demo/sa/before',
      'spiffe://cluster.local/ns/demo/sa/after',
    ]);
  });

  test('beside a process that floods it over twelve connections and ignores back-off, an honest caller is served', async () => {
    const flood: ChildProcess = spawn(process.execPath, ['--import', 'tsx', floodScript], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const address = `127.0.0.1:${port}`;
    const { csr } = await testCsr();
    const token = await issuer.token();
    flood.stdin?.end(JSON.stringify({ address, rootPem, csr, token, streams: 16, connections: 12 }));
    try {
      await once(flood.stdout ?? flood, 'data');
      for (let i = 0; i < 3; i++) expect(await ask('cart')).toHaveLength(3);
    } finally {
      flood.kill('SIGKILL');
      await once(flood, 'close');
    }
  });
});
