import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baoDev, baoPath } from '../../test/support/bao-dev.ts';
import { keylessCa } from '../../test/support/keyless-ca.ts';
import { moodyProxy } from '../../test/support/moody-proxy.ts';
import { ownStore } from '../../test/support/own-store.ts';
import { reserveFolder } from '../../test/support/reserve-folder.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { parseCsr } from '../x509/csr.ts';
import type { CaFlags } from './ca-settings.ts';
import { day, type TestRoot, tempFolder, testCsr } from './test-mesh.ts';

const shop = 'spiffe://cluster.local/ns/demo/sa/shop';
const stores = [
  { store: 'our own store', start: ownStore, here: true },
  {
    store: 'a real OpenBao (skipped without bao on PATH)',
    start: () => baoDev(baoPath ?? ''),
    here: baoPath !== undefined,
  },
];

describe.each(stores)('keyless, with $store', ({ start, here }) => {
  if (!here) return void test.skip('bao is not on PATH', () => {});
  let vault: Awaited<ReturnType<typeof start>>;
  let way: Awaited<ReturnType<typeof moodyProxy>>;
  let keyless: Awaited<ReturnType<typeof keylessCa>>;
  let root: TestRoot;
  beforeAll(async () => {
    vault = await start();
    way = await moodyProxy(vault.address);
    keyless = await keylessCa({ address: way.address, call: vault.call });
    ({ root } = keyless);
    await vault.call('POST', 'sys/mounts/transit', { type: 'transit' });
  }, 30_000);
  afterAll(async () => {
    await way.close();
    await vault.close();
    await keyless.remove();
  });

  async function serves(caFlags: CaFlags) {
    const folder = await tempFolder();
    const ledger = join(folder.path, 'ledger');
    const ca = await runningCa({}, { ...caFlags, ledger });
    try {
      const { csr } = await testCsr();
      const chain = await ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem });
      expectGood(chain, csr, root);
      return ca.log();
    } finally {
      await ca.close();
      const lines = (await readFile(ledger, 'utf8')).trimEnd().split('\n');
      const id = { vault_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) };
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { event: 'own', ...id },
        { event: 'issued', caller: shop, ...id },
      ]);
      await folder.remove();
    }
  }

  test('transit: the engine signs, certificate and key stay a pair', async () => {
    for (const type of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])
      await serves(await keyless.transit(`ca-${type}`, type));
  }, 30_000);

  test('transit: a key that the intermediate was not made for is refused at the start', async () => {
    await keyless.transit('one', 'ecdsa-p256');
    await keyless.transit('two', 'ecdsa-p256');
    const wrong = keyless.flags({
      signer: 'vault-transit',
      vault: { transitKey: 'one', kvPath: 'secret/data/two' },
    });
    await expect(runningCa({}, wrong)).rejects.toMatchObject({
      code: 'key-does-not-match',
      message: 'no version of transit/one is the key of the intermediate',
    });
  });

  test('transit: after a rotation of the key the version of the intermediate signs on', async () => {
    const caFlags = await keyless.transit('turned', 'ecdsa-p256');
    await vault.call('POST', 'transit/keys/turned/rotate');
    await serves(caFlags);
  });

  test('pki: the role signs for the caller, whatever its request names', async () => {
    const log = await serves(await keyless.pki('pki-good', {}));
    expect(log).toContain('Using Vault PKI pki-good, role istio, for signing');
    expect(log).toContain('outage budget: ');
  });

  test('pki: a role that takes names from the request never makes a wrong identity', async () => {
    const caFlags = await keyless.pki('pki-loose', { use_csr_sans: true });
    const ca = await runningCa({}, { ...caFlags, csrMode: 'compat' });
    try {
      const { csr } = await testCsr({ uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' });
      const asked = ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem });
      await expect(asked).rejects.toMatchObject({
        grpcCode: 13,
        message: 'CSR signing error (the certificate that Vault signed has names other than those asked for)',
      });
    } finally {
      await ca.close();
    }
  });

  test('a Vault that answers after ten seconds: told to come back before that, then at once, and served again by itself', async () => {
    const ca = await runningCa({}, await keyless.pki('pki-slow'));
    try {
      const { csr } = await testCsr();
      // shorter than the Vault takes: who waits for it sees a deadline and no status of the CA
      const call = { csr, token: await ca.token(), rootPem: root.certificate.pem, timeout: 9000 };
      await ca.ask(call);
      way.turn({ slow: 10_000 });
      await Promise.all(Array.from({ length: 8 }, () => expect(ca.ask(call)).rejects.toMatchObject(away)));
      await expect(ca.ask({ ...call, timeout: 1000 })).rejects.toMatchObject(away);
      const metrics = await (await fetch(ca.metricsUrl)).text();
      expect(metrics).toMatch(/^meshroot_ca_signer_away 1$/m);
      expect(metrics).toMatch(/^meshroot_ca_outage_budget_seconds 0$/m);
      expect(metrics).toMatch(/^meshroot_ca_signer_seconds_count\{result="ok"\} [1-9]/m);
      const [, took] = /^meshroot_ca_signer_seconds_sum\{result="failed"\} (\S+)$/m.exec(metrics) ?? [];
      expect(Number(took)).toBeGreaterThan(4);
      way.turn('through');
      expectGood(await untilServed(() => ca.ask(call)), csr, root);
      expect(ca.log()).toContain('the signer answers again');
    } finally {
      way.turn('through');
      await ca.close();
    }
  }, 40_000);

  test.each(['vault-pki', 'vault-transit'])(
    '%s that comes and goes never makes a wrong certificate, and nobody hangs',
    async (kind) => {
      const ca = await runningCa(
        {},
        kind === 'vault-pki' ? await keyless.pki('pki-flap') : await keyless.transit('flap'),
      );
      try {
        const token = await ca.token();
        let good = 0;
        for (const mood of ['through', 'down', 'through', 'cut', 'down', 'through', 'cut'] as const) {
          way.turn(mood);
          const asked = Array.from({ length: 4 }, async () => {
            const { csr } = await testCsr();
            const call = { csr, token, rootPem: root.certificate.pem, timeout: 9000 };
            const chain = await ca.ask(call).catch((error: unknown) => {
              expect(error).toMatchObject(away);
              return undefined;
            });
            if (chain === undefined) return;
            expectGood(chain, csr, root);
            good += 1;
          });
          await Promise.all(asked);
        }
        expect(good).toBeGreaterThanOrEqual(4);
        way.turn('through');
        const { csr } = await testCsr();
        const again = () => ca.ask({ csr, token, rootPem: root.certificate.pem });
        expectGood(await untilServed(again), csr, root);
      } finally {
        way.turn('through');
        await ca.close();
      }
    },
    40_000,
  );

  test('with a reserve that the operator allows, the outage is not felt', async () => {
    const reserve = await reserveFolder(root);
    const ca = await runningCa(
      {},
      {
        ...(await keyless.pki('pki-reserve', {})),
        reserveDir: reserve.path,
        reservePassphraseFile: join(reserve.path, 'passphrase'),
      },
    );
    try {
      expect(ca.log()).toContain('outage budget: without its Vault the reserve intermediate signs until ');
      const metrics = await (await fetch(ca.metricsUrl)).text();
      expect(metrics).toMatch(
        /^meshroot_ca_certificate_days_left\{kind="reserve",serial="[0-9a-f]+"\} 6\.9/m,
      );
      const budget = /^meshroot_ca_outage_budget_seconds (\S+)$/m.exec(metrics);
      expect(Number(budget?.[1])).toBeCloseTo((7 * day) / 1000, -3);
      way.turn('down');
      const call = { csr: (await testCsr()).csr, token: await ca.token(), rootPem: root.certificate.pem };
      const chain = await ca.ask({ ...call, timeout: 20_000 });
      expect(parseCertificate(chain[1]!).subject).toContainEqual({ type: 'L', value: 'reserve' });
      expect(chain.at(-1)).toBe(root.certificate.pem);
    } finally {
      way.turn('through');
      await ca.close();
      await reserve.remove();
    }
  }, 30_000);

  test('a start while the Vault is away waits for it', async () => {
    const flags = await keyless.pki('pki-late');
    way.turn('down');
    const refused = way.refused();
    const started = runningCa({}, flags);
    await refused;
    way.turn('through');
    const ca = await started;
    const { csr } = await testCsr();
    expectGood(await ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem }), csr, root);
    await ca.close();
  });

  test('a start while the Vault is away serves at once where there is a reserve', async () => {
    const flags = await keyless.pki('pki-late-reserve');
    const reserve = await reserveFolder(root);
    way.turn('down');
    const more = { reserveDir: reserve.path, reservePassphraseFile: join(reserve.path, 'passphrase') };
    const ca = await runningCa({}, { ...flags, ...more });
    try {
      expect(ca.log()).toContain('starting on the reserve');
      const { csr } = await testCsr();
      expectGood(await ca.ask({ csr, token: await ca.token(), rootPem: root.certificate.pem }), csr, root);
    } finally {
      way.turn('through');
      await ca.close();
      await reserve.remove();
    }
  });

  test.each([
    [{ ttl: 60 * day }, 'reserve-too-long', 'the reserve intermediate lives longer than 31 days'],
    [{ plain: true }, 'reserve-not-encrypted', 'the key of the reserve is not encrypted'],
    [{ passphrase: 'other' }, 'reserve-locked', 'the passphrase does not open the key of the reserve'],
    [
      { stranger: true },
      'reserve-other-root',
      'the reserve intermediate has a root that the mesh does not have',
    ],
  ])('a reserve with %j is refused', async (shape, code, message) => {
    const reserve = await reserveFolder(root, shape);
    const caFlags = { reserveDir: reserve.path, reservePassphraseFile: join(reserve.path, 'passphrase') };
    const started = runningCa({}, { ...(await keyless.pki(`pki-${code}`, {})), ...caFlags });
    await expect(started).rejects.toMatchObject({ code, message });
    await reserve.remove();
  });
});

const away = { grpcCode: 14, message: 'the signer is not available, try again' };

function expectGood(chain: readonly string[], csr: string, root: TestRoot): void {
  const [leaf, issuer] = chain.map((one) => parseCertificate(one));
  expect(chain).toHaveLength(3);
  expect(leaf!.sans).toEqual({ uri: [shop], dns: [], ip: [], email: [] });
  expect(leaf!.publicKey.equals(parseCsr(csr).publicKey)).toBe(true);
  expect(leaf!.notAfter - Date.now()).toBeLessThanOrEqual(3_600_000);
  expect(chain.at(-1)).toBe(root.certificate.pem);
  const [intermediates, roots] = [[issuer!], [root.certificate]];
  expect(judgeChain({ leaf: leaf!, intermediates, roots, now: Date.now(), purpose: 'client' })).toEqual([]);
}

/** The first answer after an outage: whoever asks again after 14 gets one. */
async function untilServed(ask: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (;;) {
    const chain = await ask().catch((error: unknown) => {
      expect(error).toMatchObject(away);
      return undefined;
    });
    if (chain !== undefined) return chain;
    await delay(100); // as agents do
  }
}
