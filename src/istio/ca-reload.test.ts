import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { decideReload } from './ca-reload.ts';
import { type SigningSet, signingSet } from './ca-signer.ts';
import { type TestRoot, testBundle, testRoot } from './test-mesh.ts';

describe('may a new set take over', () => {
  let a: TestRoot;
  let b: TestRoot;
  beforeAll(async () => {
    [a, b] = await Promise.all([testRoot('A'), testRoot('B')]);
  });

  async function setOf(signer: TestRoot, rootPem: string): Promise<SigningSet> {
    const files = await testBundle(signer, { rootPem });
    return signingSet({
      caKey: new Secret(files['ca-key.pem']),
      caCert: files['ca-cert.pem'],
      certChain: files['cert-chain.pem'],
      rootCert: files['root-cert.pem'],
    });
  }
  const pem = (...roots: TestRoot[]) => roots.map((root) => root.certificate.pem).join('');

  test('another intermediate of the same root may', async () => {
    expect(decideReload(await setOf(a, pem(a)), await setOf(a, pem(a)), false)).toMatchObject({
      accept: true,
      rootsChanged: false,
    });
  });

  test('spaces and order of roots are no change of trust', async () => {
    const current = await setOf(a, pem(a, b));
    expect(decideReload(current, await setOf(a, `\n${pem(b, a)}\n`), false)).toMatchObject({ accept: true });
  });

  test('a root more or less needs multi-root', async () => {
    const [one, both] = [await setOf(a, pem(a)), await setOf(a, pem(a, b))];
    for (const [from, to] of [
      [one, both],
      [both, one],
    ] as const) {
      expect(decideReload(from, to, true)).toMatchObject({ accept: true, rootsChanged: true });
      expect(decideReload(from, to, false)).toMatchObject({
        accept: false,
        code: 'multi-root-disabled',
        lines: [
          { level: 'warn', text: 'Multi root is disabled, updating new ROOT-CA not supported' },
          { level: 'warn', text: 'Updating new ROOT-CA not supported' },
        ],
      });
    }
  });

  test('one root for another never, without both in between', async () => {
    const decision = decideReload(await setOf(a, pem(a)), await setOf(b, pem(b)), true);
    expect(decision).toMatchObject({ accept: false, code: 'roots-not-nested' });
  });
});
