import { execFile, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startFixtures } from '../../../conformance/vault/fixtures.ts';
import { bundleReads, startSealedStore } from '../../support/sealed-store.ts';

const procedure = new URL('../../../conformance/clients/hvac/procedure.py', import.meta.url).pathname;
const python = process.env.PYTHON ?? 'python3';
const hasClient = spawnSync(python, ['-c', 'import hvac']).status === 0;
const steps = ['opening', 'the_seed', 'approle', 'userpass', 'tokens', 'identity'];

test.skipIf(!hasClient).each(['http', 'https'] as const)(
  `hvac does the whole procedure over %s (${hasClient ? python : 'skipped: no hvac here'})`,
  async (scheme) => {
    const { values, close } = await startFixtures();
    const store = await startSealedStore(scheme);
    try {
      const env = {
        PATH: process.env.PATH,
        HOME: dirname(store.auditFile), // where no token of somebody else lies (~/.vault-token)
        VAULT_ADDR: store.address,
        VAULT_CACERT: store.caFile,
        AUDIT_FILE: store.auditFile,
        KUBERNETES_ADDR: values.kubernetes,
        ISTIOD_JWT: values.jwt_istiod,
      };
      const { stdout } = await promisify(execFile)(python, [procedure], { env }).catch((error) => error);
      expect(stdout).toBe(steps.map((name) => `ok    ${name}\n`).join(''));
      expect(bundleReads(store.audited()).slice(-2)).toEqual([
        { path: 'kubernetes-cluster1-secrets/istiod-service/certs', error: undefined },
        { path: 'kubernetes-cluster2-secrets/istiod-service/certs', error: '* permission denied' },
      ]);
    } finally {
      await store.close();
      close();
    }
  },
);
