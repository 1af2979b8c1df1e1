import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { PkiSigner } from './ca-pki-signer.ts';
import { type TestRoot, tempFolder, testBundle, testRoot } from './test-mesh.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let [a, b]: TestRoot[] = [];
beforeAll(async () => {
  folder = await tempFolder();
  [a, b] = await Promise.all([testRoot('A'), testRoot('B')]);
});
afterAll(() => folder.remove());

/** A PKI engine whose chain can be changed. */
async function engine(multiRoot: boolean, signer: TestRoot, ...roots: TestRoot[]) {
  const chainOf = async (by: TestRoot, ...anchors: TestRoot[]) =>
    (await testBundle(by))['ca-cert.pem'] + anchors.map(({ certificate }) => certificate.pem).join('');
  let chain = await chainOf(signer, ...roots);
  const session = {
    read: async () => ({ request_id: 'r', data: { ca_chain: chain } }) as never,
    write: async () => undefined,
  };
  const options = {
    mount: 'pki',
    role: 'istio',
    folder: folder.path,
    multiRoot,
    now: () => systemClock.now(),
  };
  const opened = await PkiSigner.open({ session, ...options });
  const change = async (by: TestRoot, ...anchors: TestRoot[]) => {
    chain = await chainOf(by, ...anchors);
  };
  return { opened, change };
}

test('another intermediate of the same root takes over', async () => {
  const { opened, change } = await engine(false, a!, a!);
  const before = opened.trust().certificate.serial;
  expect(await opened.refresh()).toBe(false);
  await change(a!, a!);
  expect(await opened.refresh()).toBe(true);
  expect(opened.trust().certificate.serial).not.toBe(before);
});

test.each([
  [false, 'multi-root-disabled'],
  [true, 'roots-not-nested'],
])('another root does not, multi-root %s: %s, and the trust in use stays', async (multiRoot, code) => {
  const { opened, change } = await engine(multiRoot, a!, a!);
  await change(b!, b!);
  await expect(opened.refresh()).rejects.toMatchObject({ code });
  expect(opened.trust().rootPem).toBe(a!.certificate.pem);
});

test('with multi-root a root is added, then used, then the old one removed', async () => {
  const { opened, change } = await engine(true, a!, a!);
  for (const [by, ...roots] of [
    [a!, a!, b!],
    [b!, a!, b!],
    [b!, b!],
  ] as const) {
    await change(by, ...roots);
    expect(await opened.refresh()).toBe(true);
    expect(opened.trust().roots).toHaveLength(roots.length);
  }
});
