import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reserveFolder } from '../../test/support/reserve-folder.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { parseCsr } from '../x509/csr.ts';
import { ReserveKeeper } from './ca-reserve-keeper.ts';
import { type TrustSet, trustSet } from './ca-signer.ts';
import { day, type TestRoot, testBundle, testCsr, testRoot } from './test-mesh.ts';

let [a, b]: TestRoot[] = [];
let reserve: Awaited<ReturnType<typeof reserveFolder>>;
beforeAll(async () => {
  [a, b] = await Promise.all([testRoot('A'), testRoot('B')]);
  reserve = await reserveFolder(a!);
});
afterAll(() => reserve.remove());

async function meshOf(...roots: TestRoot[]): Promise<TrustSet> {
  const files = await testBundle(roots[0]!);
  const rootCert = roots.map(({ certificate }) => certificate.pem).join('');
  return trustSet({ caCert: files['ca-cert.pem'], certChain: files['cert-chain.pem'], rootCert });
}

async function keeper() {
  const state = { mesh: await meshOf(a!), now: systemClock.now() };
  const kept = await ReserveKeeper.open({
    folder: reserve.path,
    passphraseFile: join(reserve.path, 'passphrase'),
    mesh: () => state.mesh,
    trustDomain: 'cluster.local',
    clock: { now: () => state.now, sleep: async () => {} },
    log: silentLogger,
  });
  const csr = parseCsr((await testCsr()).csr);
  const sign = () =>
    kept.signWorkload({ csr, uris: ['spiffe://cluster.local/ns/a/sa/b'], ttl: day, now: state.now });
  return { state, kept, sign };
}
const away = { code: 'signer-unavailable', grpcCode: 14 };

test('what the reserve signs goes out with the roots that the mesh has now', async () => {
  const { state, sign } = await keeper();
  state.mesh = await meshOf(a!, b!);
  const { trust } = await sign();
  expect(trust.rootPem).toBe(a!.certificate.pem + b!.certificate.pem);
  expect(trust.chain[0]?.subject).toContainEqual({ type: 'L', value: 'reserve' });
});

test('it signs nothing when the mesh trusts its root no more, and nothing beyond its end: code 14', async () => {
  const { state, kept, sign } = await keeper();
  const { mesh } = state;
  state.mesh = await meshOf(b!);
  await expect(sign()).rejects.toMatchObject({ ...away, reason: 'the mesh trusts its root no more' });
  state.mesh = mesh;
  state.now = kept.end;
  await expect(sign()).rejects.toMatchObject({ ...away, reason: 'the reserve has ended' });
});

test('its successor takes over without a restart, a bad one does not', async () => {
  const { kept, sign } = await keeper();
  const first = (await sign()).trust.certificate.serial;
  for (const [shape, taken] of [
    [{ plain: true }, false],
    [{}, true],
  ] as const) {
    const next = await reserveFolder(a!, shape);
    await cp(next.path, reserve.path, { recursive: true });
    await kept.refresh();
    expect((await sign()).trust.certificate.serial !== first).toBe(taken);
    await next.remove();
  }
});
