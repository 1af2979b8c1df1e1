import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testCsr } from '../../src/istio/test-mesh.ts';
import { keylessCa } from '../../test/support/keyless-ca.ts';
import { moodyProxy } from '../../test/support/moody-proxy.ts';
import { ownStore } from '../../test/support/own-store.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import { answerOf } from './run-cases.ts';

/** The rest of the probe list: what istiod cannot be asked, as its key is a file. */
describe('a Vault that is down', () => {
  let store: Awaited<ReturnType<typeof ownStore>>;
  let way: Awaited<ReturnType<typeof moodyProxy>>;
  let keyless: Awaited<ReturnType<typeof keylessCa>>;
  beforeAll(async () => {
    store = await ownStore();
    way = await moodyProxy(store.address);
    keyless = await keylessCa({ address: way.address, call: store.call });
    await store.call('POST', 'sys/mounts/transit', { type: 'transit' });
  });
  afterAll(async () => {
    await way.close();
    await store.close();
    await keyless.remove();
  });

  test.each(['vault-pki', 'vault-transit'])('is code 14 in bounded time, signer %s', async (signer) => {
    const ca = await runningCa(
      {},
      await (signer === 'vault-pki' ? keyless.pki('pki') : keyless.transit('ca')),
    );
    const { csr } = await testCsr();
    const call = { csr, token: await ca.token(), rootPem: keyless.root.certificate.pem };
    try {
      way.turn('down');
      for (let i = 0; i < 7; i++) {
        // whoever hangs sees the end of his own patience: code 4
        const { answer } = await answerOf(ca, { ...call, timeout: 10_000 });
        expect(answer).toEqual({ code: 14, text: 'the signer is not available, try again' });
      }
    } finally {
      way.turn('through');
      await ca.close();
    }
  });
});
