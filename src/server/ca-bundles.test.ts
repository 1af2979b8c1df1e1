import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { bundleShapes, type TestFiles } from '../istio/test-bundles.ts';
import { day, type TestRoot, testCsr, testRoot } from '../istio/test-mesh.ts';
import { systemClock } from '../lib/clock.ts';
import { parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';

type Ca = Awaited<ReturnType<typeof runningCa>>;

/** What a client gets now, judged as a peer of it would: with the chain beside the leaf and the roots at the end. */
async function served(ca: Ca) {
  const chain = await ca.ask({ csr: (await testCsr()).csr, token: await ca.token() });
  const elements = chain.slice(0, -1).map((element) => parseCertificates(element));
  expect(elements.map(({ length }) => length)).toEqual(elements.map(() => 1));
  const [leaf, ...intermediates] = elements.flat();
  const roots = parseCertificates(chain.at(-1) ?? '');
  const now = systemClock.now();
  expect(judgeChain({ leaf: leaf!, intermediates, roots, now, purpose: 'client' })).toEqual([]);
  const issuers = intermediates.map(({ fingerprint }) => fingerprint);
  expect(new Set(issuers).size).toBe(issuers.length);
  return { behindLeaf: chain.slice(1), signer: intermediates[0] ?? roots[0], roots };
}

/** Leaves `files` in the folder of a running CA, all in one turn of its loop, and waits for what it says of them. */
async function put(ca: Ca, files: TestFiles, until: string): Promise<void> {
  const since = ca.log().length;
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) rmSync(join(ca.folder, name));
    else writeFileSync(join(ca.folder, name), text);
  }
  await ca.logged(until, since);
}

describe.concurrent('bundles of every shape, as the wire shows them', () => {
  let root: TestRoot;
  beforeAll(async () => {
    root = await testRoot('Root CA', 3650 * day, systemClock.now() - 30 * day);
  });
  const withCa = async (use: (ca: Ca) => Promise<void>) => {
    const ca = await runningCa({ ISTIO_MULTIROOT_MESH: 'true' }, {}, root);
    try {
      await use(ca);
    } finally {
      await ca.close();
    }
  };

  test.each(bundleShapes.filter(({ refused }) => refused === undefined))(
    '$name: loaded, and what it signs verifies',
    ({ files }) =>
      withCa(async (ca) => {
        const written = await files(root);
        await put(ca, written, 'Istiod has detected the newly added intermediate CA');
        const { signer, roots } = await served(ca);
        expect(signer).toEqual(parseCertificate(written['ca-cert.pem'] ?? ''));
        expect(roots).toEqual(parseCertificates(written['root-cert.pem'] ?? ''));
      }),
  );

  test.each(bundleShapes.filter(({ refused }) => refused !== undefined))(
    '$name: refused with $refused, and the last good set serves on',
    ({ files, refused }) =>
      withCa(async (ca) => {
        await put(ca, await files(root), 'Failed to update new Plug-in CA certs: ');
        expect((await served(ca)).behindLeaf).toEqual([ca.bundle['ca-cert.pem'], ca.bundle['root-cert.pem']]);
        const metrics = await (await fetch(ca.metricsUrl)).text();
        expect(metrics).toContain(`meshroot_ca_bundle_reloads_total{result="${refused}"} 1`);
      }),
  );
});
