/**
 * `npm run test:flood`: beside a process that ignores back-off (25 connections with as many calls as they take, asked again at once), an honest
 * caller gets each of 30 certificates within 2 s, without one refusal; the same without the flood for comparison.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  tempFolder,
  testBundle,
  testCsr,
  testIssuer,
  testRoot,
  tokenIssuer,
  writeFiles,
} from '../src/istio/test-mesh.ts';
import { requestCertificate } from '../src/istio/workload-request.ts';
import { startMeshroot } from '../test/support/meshroot.ts';

const bound = 2000;
const certificates = 30;
const floodScript = fileURLToPath(new URL('../test/support/csr-flood-process.ts', import.meta.url));

const folder = await tempFolder();
const root = await testRoot();
const issuer = await tokenIssuer();
await writeFiles(folder.path, await testBundle(root));
await writeFile(join(folder.path, 'jwks.json'), issuer.jwks);
const keys = ['--jwks', join(folder.path, 'jwks.json'), '--issuer', testIssuer];
const ca = startMeshroot(['ca', '--root-ca-dir', folder.path, ...keys, '--listen', '127.0.0.1:0']);
const shown = await ca.until(/discovery service at 127\.0\.0\.1:\d+/);
const address = `127.0.0.1:${shown.split(':').at(-1)}`;
const rootPem = root.certificate.pem;

/** Times of the honest caller, in ms, the longest last; a refusal ends the run. */
async function honest(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < certificates; i++) {
    const { csr } = await testCsr({ uri: 'spiffe://cluster.local/ns/demo/sa/cart' });
    const token = await issuer.token({ account: 'cart' });
    const began = performance.now();
    await requestCertificate({
      address,
      serverName: 'istiod.istio-system.svc',
      rootPem,
      ttl: 3_600_000,
      csr,
      token,
    });
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b);
}

function tell(what: string, times: readonly number[]): void {
  const [median = 0, longest = 0] = [times[times.length >> 1], times.at(-1)];
  process.stdout.write(
    `${what}: ${times.length} certificates, median ${median.toFixed(0)} ms, longest ${longest.toFixed(0)} ms\n`,
  );
}

let flood: ChildProcess | undefined;
try {
  tell('alone', await honest());
  flood = spawn(process.execPath, ['--import', 'tsx', floodScript], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { csr } = await testCsr();
  const token = await issuer.token();
  flood.stdin?.end(JSON.stringify({ address, rootPem, csr, token, streams: 16, connections: 25 }));
  await once(flood.stdout ?? flood, 'data'); // it was told to back off, and does not
  const times = await honest();
  tell('beside the flood', times);
  if ((times.at(-1) ?? bound) >= bound) {
    process.stdout.write(`FAIL: longer than ${bound} ms\n`);
    process.exitCode = 1;
  } else process.stdout.write(`ok: each within ${bound} ms\n`);
} finally {
  flood?.kill('SIGKILL');
  ca.child.kill('SIGTERM');
  await ca.ended;
  await folder.remove();
}
