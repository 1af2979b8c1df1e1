import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testCsr } from '../../src/istio/test-mesh.ts';
import { CertificateCallError } from '../../src/istio/workload-request.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { runningCa } from '../../test/support/running-ca.ts';
import { type CaAnswer, caCases } from './cases.ts';
import { type CaTarget, targetFromEnvironment } from './target.ts';

/** Ours in this process, or the one that the environment names. */
async function open(kind: CaTarget['kind']): Promise<{ target: CaTarget; close: () => Promise<void> }> {
  const target = targetFromEnvironment();
  if (target !== undefined) return { target, close: async () => {} };
  const ca = await runningCa({}, kind === 'meshroot-compat' ? { csrMode: 'compat' } : {});
  return {
    target: {
      kind,
      rootPem: ca.root.certificate.pem,
      cluster: 'cluster1',
      namespace: 'demo',
      account: 'shop',
      token: await ca.token(),
      ask: ca.ask,
    },
    close: ca.close,
  };
}

/** One that the environment names is asked once, ours in both modes. */
const kinds =
  targetFromEnvironment() === undefined ? (['meshroot', 'meshroot-compat'] as const) : (['istiod'] as const);

describe.each(kinds)('IstioCertificateService of %s, as its clients see it', (kind) => {
  let target: CaTarget;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ target, close } = await open(kind));
  });
  afterAll(() => close());

  async function ask(
    call: Parameters<CaTarget['ask']>[0],
  ): Promise<{ answer: CaAnswer; chain: readonly string[] }> {
    try {
      return { answer: { code: 0 }, chain: await target.ask(call) };
    } catch (error) {
      if (!(error instanceof CertificateCallError)) throw error;
      return { answer: { code: error.grpcCode, text: error.message }, chain: [] };
    }
  }

  test.each(caCases)('$name', async (one) => {
    const { answer, chain } = await ask(await one.call(target));
    const special = { istiod: one.istiod, meshroot: one.strict, 'meshroot-compat': undefined };
    const wanted = special[target.kind] ?? one.expect;
    expect(answer.code).toBe(wanted.code);
    if (wanted.text instanceof RegExp) expect(answer.text).toMatch(wanted.text);
    else if (wanted.text !== undefined) expect(answer.text).toBe(wanted.text);
    if (wanted.code === 0) expect(one.faults?.(parseCertificate(chain[0]!), chain, target) ?? []).toEqual([]);
  });

  test('a certificate in hand renews itself without a token', async () => {
    const first = await testCsr();
    const chain = await target.ask({ csr: first.csr, token: target.token });
    const client = { chain: chain.slice(0, 2).join(''), key: first.keyPem };
    const [renewed] = await target.ask({ csr: (await testCsr()).csr, client });
    expect(parseCertificate(renewed!).sans.uri).toEqual(parseCertificate(chain[0]!).sans.uri);
  });

  test('two hundred at once all get one, each with its own serial', async () => {
    const { csr } = await testCsr();
    const leaves = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const [leaf] = await target.ask({ csr, token: target.token, timeout: 20_000 });
        return parseCertificate(leaf!).serial;
      }),
    );
    expect(new Set(leaves).size).toBe(200);
  });
});
