import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaFlags } from '../../src/istio/ca-settings.ts';
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
    atOnce: 100, // this thread is server, client and Vault; test/e2e/30-istio-ca has the thousand
    vaultSigns: signer === 'vault-pki',
    ask: (call) => ca.ask({ rootPem, ...call }),
    connect: () => ca.connect(rootPem),
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
});
