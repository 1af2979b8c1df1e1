import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../src/kube/connect.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { codeOf } from '../../../src/lib/errors.ts';
import { type SandboxCluster, startCluster } from '../../../src/sandbox/cluster.ts';
import { bundleReads, startSealedStore } from '../../support/sealed-store.ts';

const module = new URL('../../../conformance/go/', import.meta.url).pathname;

/** Why the Go test cannot run here, or undefined. Compiling tells whether Go and the modules are there. */
function reason(): string | undefined {
  const built = spawnSync('go', ['vet', './...'], { cwd: module, encoding: 'utf8', timeout: 90_000 });
  if (codeOf(built.error) === 'ENOENT') return 'go is not on PATH';
  if (built.error !== undefined) return `go cannot build it: ${built.error.message}`; // ETIMEDOUT: its modules are not compiled yet
  return built.status === 0 ? undefined : `go cannot build it: ${built.stderr.split('\n')[0]}`;
}

const missing = reason();

describe.skipIf(missing !== undefined)(
  `the official Go client${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const base = mkdtempSync(join(tmpdir(), 'go-client-'));
    let cluster: SandboxCluster;
    let jwt: string;

    beforeAll(async () => {
      cluster = await startCluster({ name: 'cluster1', clock: systemClock });
      writeFileSync(join(base, 'ca.pem'), cluster.caPem);
      jwt = await istiodToken();
    });
    afterAll(async () => {
      await cluster.close();
      rmSync(base, { recursive: true, force: true });
    });

    /** A token of istiod's service account, which may ask for TokenReviews itself. */
    async function istiodToken(): Promise<string> {
      writeFileSync(join(base, 'kubeconfig'), cluster.adminKubeconfig.reveal());
      const kube = await connect({ kubeconfig: join(base, 'kubeconfig'), env: {} });
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
      await kube.create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'istiod', namespace: 'istio-system' },
      });
      await kube.create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'role-tokenreview-binding' },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:auth-delegator',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'istiod', namespace: 'istio-system' }],
      });
      const { token } = await kube.tokenRequest('istio-system', 'istiod', {});
      kube.close();
      return token.reveal();
    }

    test.each(['http', 'https'] as const)(
      'does the whole procedure of the seed over %s',
      { timeout: 240_000 },
      async (scheme) => {
        const store = await startSealedStore(scheme);
        try {
          // not synchronously: the cluster lives in this process
          const { stdout: told } = await promisify(execFile)('go', ['test', '-count=1', '-v', './...'], {
            cwd: module,
            encoding: 'utf8',
            env: {
              ...process.env,
              VAULT_ADDR: store.address,
              VAULT_CACERT: store.caFile,
              VAULT_TOKEN: '',
              AUDIT_FILE: store.auditFile,
              KUBERNETES_HOST: cluster.url,
              KUBERNETES_CA: join(base, 'ca.pem'),
              ISTIOD_JWT: jwt,
            },
          });
          expect(told).toContain('--- PASS: TestSeed');
          expect(told).toContain(scheme === 'https' ? '--- PASS: TestHTTP2' : '--- SKIP: TestHTTP2');
          expect(bundleReads(store.audited()).slice(-2)).toEqual([
            { path: 'kubernetes-go1-secrets/istiod-service/certs', error: undefined },
            { path: 'kubernetes-go2-secrets/istiod-service/certs', error: '* permission denied' },
          ]);
        } finally {
          await store.close();
        }
      },
    );
  },
);
