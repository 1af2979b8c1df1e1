import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { tokenReviewApi } from '../../test/support/token-review-api.ts';
import { day, swapFiles, tempFolder, testBundle, testCsr, testRoot, writeFiles } from '../istio/test-mesh.ts';
import { parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';

describe('the CA on its wire', () => {
  let ca: Awaited<ReturnType<typeof runningCa>>;
  beforeAll(async () => {
    ca = await runningCa();
  });
  afterAll(() => ca.close());

  test('a token and a request give leaf, intermediate and root bundle, each in its own element', async () => {
    const { csr } = await testCsr();
    const chain = await ca.ask({ csr, token: await ca.token(), clusterId: 'cluster1' });
    expect(chain).toHaveLength(3);
    expect(chain.map((element) => parseCertificates(element).length)).toEqual([1, 1, 1]);
    expect(chain[2]).toBe(ca.bundle['root-cert.pem']);
    const [leaf, intermediate, root] = chain.map((element) => parseCertificate(element));
    expect(leaf!.sans.uri).toEqual(['spiffe://cluster.local/ns/demo/sa/shop']);
    expect(leaf!.subject).toEqual([]);
    expect(
      judgeChain({
        leaf: leaf!,
        intermediates: [intermediate!],
        roots: [root!],
        now: Date.now(),
        purpose: 'client',
      }),
    ).toEqual([]);
  });

  test('the log reads like istiod’s', () => {
    for (const line of [
      '\tinfo\tUsing istiod file format for signing ca files',
      '\tinfo\tUse local CA certificate',
      '\tinfo\tIstiod CA has started',
      '\tinfo\tx509 cert - Issuer: "CN=Intermediate CA,O=Istio,L=cluster1", Subject: "", SN: ',
    ])
      expect(ca.log()).toContain(line);
    expect(ca.log()).not.toContain('PRIVATE KEY');
  });

  test('a certificate renews without a token, for the identity it names', async () => {
    const first = await testCsr({ uri: 'spiffe://cluster.local/ns/demo/sa/cart' });
    const chain = await ca.ask({ csr: first.csr, token: await ca.token({ account: 'cart' }) });
    const client = { chain: chain.slice(0, -1).join(''), key: first.keyPem };
    const renewed = await ca.ask({
      csr: (await testCsr({ uri: 'spiffe://cluster.local/ns/demo/sa/cart' })).csr,
      client,
    });
    expect(parseCertificate(renewed[0]!).sans.uri).toEqual(['spiffe://cluster.local/ns/demo/sa/cart']);
  });

  test('a client certificate of strangers is as none: the token still counts', async () => {
    const other = await runningCa();
    try {
      const foreign = await testCsr();
      const chain = await other.ask({ csr: foreign.csr, token: await other.token() });
      const client = { chain: chain.slice(0, -1).join(''), key: foreign.keyPem };
      const { csr } = await testCsr();
      await expect(ca.ask({ csr, client })).rejects.toMatchObject({
        grpcCode: 16,
        message: 'request authenticate failure',
      });
      expect(await ca.ask({ csr, client, token: await ca.token() })).toHaveLength(3);
    } finally {
      await other.close();
    }
  });

  test('metrics count as istiod counts', async () => {
    const text = await (await fetch(ca.metricsUrl)).text();
    expect(text).toMatch(/^citadel_server_success_cert_issuance_count [1-9]/m);
    expect(text).toMatch(/^citadel_server_authentication_failure_count 1$/m);
    expect(text).toMatch(/^citadel_server_root_cert_expiry_seconds 3[01]\d{7}/m);
    expect(text).toMatch(/^meshroot_ca_signer_days_left (89|90)/m);
    expect(text).toMatch(/^meshroot_ca_chain_mismatch 0$/m);
  });

  test('a new intermediate in one swap serves new connections at once', async () => {
    const next = await testBundle(ca.root, { name: 'next' });
    const since = ca.log().length;
    for (const name of Object.keys(next))
      await import('node:fs/promises').then((fs) => fs.rm(`${ca.folder}/${name}`));
    await swapFiles(ca.folder, next, '1');
    await ca.logged('Istiod has detected the newly added intermediate CA', since);
    const chain = await ca.ask({ csr: (await testCsr()).csr, token: await ca.token() });
    expect(chain[1]).toBe(next['ca-cert.pem']);
  });

  test('the listener shows a certificate of the new intermediate, for istiod’s names, from TLS 1.2 on', async () => {
    const [host, port] = ca.address.split(':');
    const shown = (options: object) =>
      new Promise<{ names: string; issuer: string }>((resolve, reject) => {
        const common = { host, port: Number(port), ca: ca.root.certificate.pem, ALPNProtocols: ['h2'] };
        const socket = connect({ ...common, servername: 'istiod.istio-system.svc', ...options }, () => {
          const { subjectaltname = '', issuerCertificate } = socket.getPeerCertificate(true);
          socket.destroy();
          resolve({ names: subjectaltname, issuer: issuerCertificate.serialNumber.toLowerCase() });
        });
        socket.on('error', reject);
      });
    const trusted = await shown({});
    expect(trusted.names).toBe(
      'DNS:istio-pilot.istio-system.svc, DNS:istiod-remote.istio-system.svc, DNS:istiod.istio-system.svc',
    );
    const chain = await ca.ask({ csr: (await testCsr()).csr, token: await ca.token() });
    expect(trusted.issuer).toBe(parseCertificate(chain[1]!).serial);
    await expect(shown({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
  });

  test('a half-written set is refused by name, and the last good one serves on', async () => {
    const half = await testBundle(ca.root, { name: 'half' });
    const since = ca.log().length;
    await writeFiles(ca.folder, { 'ca-cert.pem': half['ca-cert.pem'] });
    await ca.logged('Failed to update new Plug-in CA certs: ', since);
    expect(await ca.ask({ csr: (await testCsr()).csr, token: await ca.token() })).toHaveLength(3);
    await writeFiles(ca.folder, half);
    await ca.logged('Istiod has detected the newly added intermediate CA', since);
  });

  test('another root is refused in istiod’s words', async () => {
    const since = ca.log().length;
    await writeFiles(ca.folder, await testBundle(await testRoot('Other')));
    await ca.logged('Multi root is disabled, updating new ROOT-CA not supported', since);
    const chain = await ca.ask({ csr: (await testCsr()).csr, token: await ca.token() });
    expect(chain.at(-1)).toBe(ca.root.certificate.pem);
  });
});

describe('a CA that changes under load', () => {
  test('every call is answered, and each leaf belongs to the chain beside it', async () => {
    const ca = await runningCa();
    try {
      const { csr } = await testCsr();
      const token = await ca.token();
      const signers = new Set<string>();
      let swapping = true;
      const callers = Array.from({ length: 4 }, async () => {
        while (swapping) {
          const [leaf, issuer, root] = (await ca.ask({ csr, token })).map((one) => parseCertificate(one));
          const roots = [root!];
          const judged = {
            leaf: leaf!,
            intermediates: [issuer!],
            roots,
            now: Date.now(),
            purpose: 'client',
          } as const;
          expect(judgeChain(judged)).toEqual([]);
          signers.add(issuer!.serial);
        }
      });
      for (let i = 0; i < 4; i++) {
        const since = ca.log().length;
        await writeFiles(ca.folder, await testBundle(ca.root, { name: `c${i}` }));
        await ca.logged('Istiod has detected', since);
      }
      swapping = false;
      await Promise.all(callers);
      expect(signers.size).toBeGreaterThan(2);
    } finally {
      await ca.close();
    }
  });
});

describe('a root that changes', () => {
  test('grows and shrinks with multi-root, and client trust follows at once', async () => {
    const ca = await runningCa({ ISTIO_MULTIROOT_MESH: 'true' });
    try {
      const old = await testCsr();
      const oldChain = await ca.ask({ csr: old.csr, token: await ca.token() });
      const second = await testRoot('Root B');
      const both = ca.root.certificate.pem + second.certificate.pem;
      let since = ca.log().length;
      await writeFiles(ca.folder, await testBundle(second, { rootPem: both }));
      await ca.logged('Istiod has detected', since);
      const fresh = await testCsr();
      const rootPem = both;
      const chain = await ca.ask({ csr: fresh.csr, token: await ca.token(), rootPem });
      expect(chain.at(-1)).toBe(both);
      const client = { chain: chain.slice(0, 2).join(''), key: fresh.keyPem };
      expect(await ca.ask({ csr: fresh.csr, client, rootPem })).toHaveLength(3);
      since = ca.log().length;
      await writeFiles(ca.folder, await testBundle(second));
      await ca.logged('Istiod has detected', since);
      const gone = { chain: oldChain.slice(0, 2).join(''), key: old.keyPem };
      await expect(ca.ask({ csr: old.csr, client: gone, rootPem })).rejects.toMatchObject({ grpcCode: 16 });
      expect(await ca.ask({ csr: fresh.csr, client, rootPem })).toHaveLength(3);
    } finally {
      await ca.close();
    }
  });

  test('a life of ten years is cut to what the intermediate has left', async () => {
    const ca = await runningCa({ MAX_WORKLOAD_CERT_TTL: '87600h' });
    try {
      const [leaf] = await ca.ask({ csr: (await testCsr()).csr, token: await ca.token(), ttl: 3650 * day });
      expect(parseCertificate(leaf!).notAfter).toBe(parseCertificate(ca.bundle['ca-cert.pem']).notAfter);
    } finally {
      await ca.close();
    }
  });
});

describe('what stands around the CA', () => {
  test('a ledger line for every certificate, the roots as a SPIFFE bundle, days left of each certificate', async () => {
    const folder = await tempFolder();
    const ledger = join(folder.path, 'ledger');
    const ca = await runningCa({}, { ledger });
    const token = await ca.token({ pod: { name: 'shop-1', uid: 'u-1' } });
    const [leaf] = await ca.ask({ csr: (await testCsr()).csr, token });
    const bundle = await (await fetch(ca.metricsUrl.replace('/metrics', '/trust-bundle'))).json();
    const metrics = await (await fetch(ca.metricsUrl)).text();
    await ca.close();
    const { serial, notAfter } = parseCertificate(leaf!);
    const [own, line, ...more] = (await readFile(ledger, 'utf8')).trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(own ?? '')).toMatchObject({
      event: 'own',
      cluster: 'cluster1',
      names: expect.arrayContaining(['istiod.istio-system.svc']),
      serial: expect.stringMatching(/^[0-9a-f]+$/),
    });
    const shop = 'spiffe://cluster.local/ns/demo/sa/shop';
    expect(JSON.parse(line ?? '')).toMatchObject({
      event: 'issued',
      caller: shop,
      via: 'token',
      cluster: 'cluster1',
      pod: 'shop-1',
      pod_uid: 'u-1',
      names: [shop],
      serial,
      not_after: new Date(notAfter).toISOString(),
      ttl: expect.closeTo(3600, -1),
      issuer_serial: parseCertificate(ca.bundle['ca-cert.pem']).serial,
    });
    expect((await stat(ledger)).mode & 0o777).toBe(0o600);
    expect(bundle).toMatchObject({ keys: [{ use: 'x509-svid', kty: 'EC' }], spiffe_refresh_hint: 300 });
    for (const kind of ['signer', 'chain', 'root', 'serving'])
      expect(metrics).toMatch(
        new RegExp(`^meshroot_ca_certificate_days_left\\{kind="${kind}",serial="[0-9a-f]+"\\} \\d+`, 'm'),
      );
    expect(metrics).toMatch(/^meshroot_ca_queue_depth 0$/m);
    await folder.remove();
  });

  test.each([
    [{ callerRateLimit: '2/h' }, 'is served'],
    [{ rateLimit: '2/h' }, 'is not either'],
  ])('with %j a third request is told to come back, and another caller %s', async (flags, other) => {
    const ca = await runningCa({}, flags);
    const ask = async (who: string) =>
      ca.ask({
        csr: (await testCsr({ uri: `spiffe://cluster.local/ns/demo/sa/${who}` })).csr,
        token: await ca.token({ account: who }),
      });
    const tooMany = { grpcCode: 8, message: 'too many certificate requests, try again later' };
    await ask('shop');
    await ask('shop');
    await expect(ask('shop')).rejects.toMatchObject(tooMany);
    if (other === 'is not either') await expect(ask('cart')).rejects.toMatchObject(tooMany);
    else expect(await ask('cart')).toHaveLength(3);
    await ca.close();
  });

  test.each([
    ['1h', 0],
    ['1ms', 1],
  ])(
    'tokens checked by keys with a revocation window of %s: %i of one token are asked about',
    async (revocationWindow, asked) => {
      const api = await tokenReviewApi();
      const folder = await tempFolder();
      const kubeconfig = join(folder.path, 'kubeconfig');
      await writeFile(kubeconfig, api.kubeconfig);
      const ca = await runningCa({}, { kubeconfig, revocationWindow });
      const answer = ca.ask({ csr: (await testCsr()).csr, token: await ca.token() });
      if (asked === 0) expect(await answer).toHaveLength(3);
      else await expect(answer).rejects.toMatchObject({ grpcCode: 16 }); // this API server does not know it
      expect(api.state.reviews).toBe(asked);
      await ca.close();
      await api.close();
      await folder.remove();
    },
  );

  test('clusters by name: a token counts where it was made, and the root goes to both', async () => {
    const remote = await tokenReviewApi();
    const folder = await tempFolder();
    const kubeconfig = join(folder.path, 'cluster2.json');
    await writeFile(kubeconfig, remote.kubeconfig);
    const ca = await runningCa({}, { remoteCluster: [`cluster2=${kubeconfig}`] });
    const { csr } = await testCsr();
    const token = 'good:demo:shop';
    const [leaf] = await ca.ask({ csr, token, clusterId: 'cluster2' });
    expect(parseCertificate(leaf!).sans.uri).toEqual(['spiffe://cluster.local/ns/demo/sa/shop']);
    const refused = { grpcCode: 16, message: 'request authenticate failure' };
    await expect(ca.ask({ csr, token, clusterId: 'cluster1' })).rejects.toMatchObject(refused);
    await expect(ca.ask({ csr, token: await ca.token(), clusterId: 'cluster2' })).rejects.toMatchObject(
      refused,
    );
    await expect(ca.ask({ csr, token, clusterId: 'cluster3' })).rejects.toMatchObject(refused);
    await vi.waitFor(() => expect(remote.root('demo')).toBe(ca.root.certificate.pem), { timeout: 10_000 });
    await ca.close();
    await remote.close();
    await folder.remove();
  });
});
