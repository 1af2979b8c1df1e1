import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaFlags } from '../../src/istio/ca-settings.ts';
import { testCsr } from '../../src/istio/test-mesh.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { keylessCa } from '../../test/support/keyless-ca.ts';
import { ownStore } from '../../test/support/own-store.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import { caCases } from './cases.ts';
import { problemOf } from './run-cases.ts';
import type { CaTarget } from './target.ts';

/** Ours in this process; with a Vault as its signer when one is asked for. */
async function open(kind: CaTarget['kind'], signer: string) {
  const keyless = signer === 'file' ? undefined : await openKeyless(signer);
  const mode: CaFlags = kind === 'meshroot-compat' ? { csrMode: 'compat' } : {};
  const ca = await runningCa({}, { ...keyless?.flags, ...mode });
  const rootPem = (keyless?.root ?? ca.root).certificate.pem;
  const target: CaTarget = {
    kind,
    rootPem,
    cluster: 'cluster1',
    namespace: 'demo',
    account: 'shop',
    token: await ca.token(),
    vaultSigns: signer === 'vault-pki',
    ask: (call) => ca.ask({ rootPem, ...call }),
  };
  const close = async () => {
    await ca.close();
    await keyless?.close();
  };
  return { target, close };
}

async function openKeyless(signer: string) {
  const store = await ownStore();
  await store.call('POST', 'sys/mounts/transit', { type: 'transit' });
  const { root, pki, transit, remove } = await keylessCa(store);
  const flags = signer === 'vault-pki' ? await pki('pki') : await transit('ca');
  const close = async () => {
    await store.close();
    await remove();
  };
  return { root, flags, close };
}

describe.each([
  ['meshroot', 'file'],
  ['meshroot-compat', 'file'],
  ['meshroot', 'vault-pki'],
  ['meshroot', 'vault-transit'],
] as const)('IstioCertificateService of %s, signer %s, as its clients see it', (kind, signer) => {
  let target: CaTarget;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ target, close } = await open(kind, signer));
  });
  afterAll(() => close());

  test.each(caCases)('$name', async (one) => {
    expect(await problemOf(one, target)).toBeUndefined();
  });

  test('a certificate in hand renews itself without a token', async () => {
    const first = await testCsr();
    const chain = await target.ask({ csr: first.csr, token: target.token });
    const client = { chain: chain.slice(0, 2).join(''), key: first.keyPem };
    const [renewed] = await target.ask({ csr: (await testCsr()).csr, client });
    expect(parseCertificate(renewed!).sans.uri).toEqual(parseCertificate(chain[0]!).sans.uri);
  });

  test('many at once all get one, each with its own serial', async () => {
    const many = signer === 'file' ? 200 : 40;
    const { csr } = await testCsr();
    const leaves = await Promise.all(
      Array.from({ length: many }, async () => {
        const [leaf] = await target.ask({ csr, token: target.token, timeout: 60_000 });
        return parseCertificate(leaf!).serial;
      }),
    );
    expect(new Set(leaves).size).toBe(many);
  }, 60_000);
});
