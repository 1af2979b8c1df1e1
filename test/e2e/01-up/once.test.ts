import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMeshroot } from '../../support/meshroot.ts';
import { canSeeProcesses, processesAround } from '../../support/processes.ts';

interface Report {
  ok: boolean;
  seconds: number;
  dir: string;
  vault: { address: string; tokenFile: string };
  clusters: {
    name: string;
    kubeconfig: string;
    istiod: { ca: string; bundleDir: string };
    workloads: { spiffeId: string; certFile: string; keyFile: string; rootFile: string }[];
  }[];
  checks: { name: string; ok: boolean; detail: string }[];
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('up --once --json --dir D', () => {
  const base = mkdtempSync(join(tmpdir(), 'up-once-'));
  const dir = join(base, 'd');
  let run: Awaited<ReturnType<typeof runMeshroot>>;
  let report: Report;

  beforeAll(async () => {
    run = await runMeshroot(['up', '--once', '--json', '--dir', dir]);
    report = JSON.parse(run.stdout);
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  test('every check is ok, under its stable name', () => {
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toEqual([
      'istiod-uses-injected-bundle',
      'no-ca-key-in-kubernetes',
      'bundle-verifies',
      'workload-mtls-same-cluster',
      'workload-mtls-across-clusters',
      'cross-cluster-read-denied',
      'wrong-service-account-denied',
      'audit-shows-denials',
      'restart-keeps-root',
      'rotation-keeps-handshakes',
      'metrics-show-denials',
    ]);
    expect(run.code).toBe(0);
    expect(report).toMatchObject({ ok: true, dir, seconds: expect.any(Number) });
  });

  test('stdout holds the one object and nothing else; progress went to stderr', () => {
    expect(run.stdout.trim().split('\n')).toHaveLength(1);
    expect(run.stderr).toContain('trust tree');
  });

  test('the files that it names are there, keys readable by their owner only', () => {
    for (const { istiod, workloads } of report.clusters) {
      expect(statSync(join(istiod.bundleDir, 'ca-key.pem')).mode & 0o007).toBe(0);
      for (const { certFile, keyFile, rootFile } of workloads) {
        expect(statSync(keyFile).mode & 0o077).toBe(0);
        expect(Date.parse(new X509Certificate(readFileSync(certFile)).validTo)).toBeGreaterThan(Date.now());
        expect(readFileSync(rootFile, 'utf8')).toContain('BEGIN CERTIFICATE');
      }
    }
    expect(report.clusters.map(({ name }) => name)).toEqual(['cluster1', 'cluster2']);
    expect(statSync(report.vault.tokenFile).mode & 0o077).toBe(0);
    expect(readFileSync(join(dir, 'env.sh'), 'utf8')).toContain(`VAULT_ADDR='${report.vault.address}'`);
  });

  test.skipIf(!hasOpenssl)(
    'openssl accepts a workload of each cluster with only the root and the presented chain',
    () => {
      for (const { workloads } of report.clusters) {
        for (const { certFile, spiffeId } of workloads) {
          const root = join(base, 'root.pem'); // the root of cluster1, for both clusters: there is only one
          writeFileSync(root, readFileSync(report.clusters[0]!.workloads[0]!.rootFile));
          const told = execFileSync('openssl', [
            'verify',
            '-x509_strict',
            '-CAfile',
            root,
            '-untrusted',
            certFile,
            certFile,
          ]);
          expect(told.toString()).toBe(`${certFile}: OK\n`);
          expect(new X509Certificate(readFileSync(certFile)).subjectAltName).toBe(`URI:${spiffeId}`);
        }
      }
    },
  );

  test('no secret is on any command line, in any log, or in what was printed', () => {
    const token = readFileSync(report.vault.tokenFile, 'utf8').trim();
    const key =
      readFileSync(join(report.clusters[0]!.istiod.bundleDir, 'ca-key.pem'), 'utf8').split('\n')[1] ?? '';
    expect(key.length).toBeGreaterThan(40);
    for (const text of [
      run.stdout,
      run.stderr,
      readFileSync(join(dir, 'audit.log'), 'utf8'),
      readFileSync(join(dir, 'store.log'), 'utf8'),
    ]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(key);
      expect(text).not.toContain('PRIVATE KEY');
    }
  });

  test.skipIf(!canSeeProcesses)('no process is left', () => {
    expect(processesAround(dir)).toEqual([]);
  });

  test('a second up on the same folder keeps the root', async () => {
    const before = readFileSync(report.clusters[0]!.workloads[0]!.rootFile, 'utf8');
    const again = await runMeshroot(['up', '--once', '--json', '--dir', dir]);
    expect(again.code).toBe(0);
    const second: Report = JSON.parse(again.stdout);
    expect(readFileSync(second.clusters[1]!.workloads[0]!.rootFile, 'utf8')).toBe(before);
  });
});
