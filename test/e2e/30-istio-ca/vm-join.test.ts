import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  day,
  swapFiles,
  type TestBundle,
  tempFolder,
  testBundle,
  testCsr,
  testIssuer,
  testRoot,
  tokenIssuer,
} from '../../../src/istio/test-mesh.ts';
import { requestCertificate } from '../../../src/istio/workload-request.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { parsePrivateKey } from '../../../src/x509/keys.ts';
import { issueWorkload } from '../../../src/x509/templates/workload.ts';
import { type Run, startMeshroot } from '../../support/meshroot.ts';
import { ownStore } from '../../support/own-store.ts';

const joined = 'secret/data/meshroot/joined';
const used = {
  grpcCode: 7,
  message: 'this token was used already: renew with the certificate it gave, or join again with a new token',
};

describe('a machine outside the cluster joins', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let store: Awaited<ReturnType<typeof ownStore>>;
  let issuer: Awaited<ReturnType<typeof tokenIssuer>>;
  let rootPem: string;
  let bundle: TestBundle;
  let ports: number[];
  const programs: Run[] = [];
  const file = (name: string) => join(folder.path, name);

  beforeAll(async () => {
    [folder, store, issuer] = await Promise.all([tempFolder(), ownStore(), tokenIssuer()]);
    const root = await testRoot();
    rootPem = root.certificate.pem;
    bundle = await testBundle(root);
    await swapFiles(folder.path, bundle, '1');
    await writeFile(file('jwks.json'), issuer.jwks);
    await writeFile(file('ca-token'), await createOnlyToken());
    ports = await Promise.all([replica(), replica()]);
  });
  afterAll(async () => {
    await Promise.all(programs.map(end));
    await store.close();
    await folder.remove();
  });

  /** All that the CA may do in the store is to create the entry of a token. */
  async function createOnlyToken(): Promise<string> {
    const policy = `path "${joined}/*" { capabilities = ["create"] }`;
    await store.call('PUT', 'sys/policies/acl/meshroot-ca-join', { policy });
    const answer = await fetch(`${store.address}/v1/auth/token/create`, {
      method: 'POST',
      headers: { 'X-Vault-Token': 'root' },
      body: JSON.stringify({ policies: ['meshroot-ca-join'] }),
    });
    return ((await answer.json()) as { auth: { client_token: string } }).auth.client_token;
  }

  async function replica(): Promise<number> {
    const keys = ['--root-ca-dir', folder.path, '--jwks', file('jwks.json'), '--issuer', testIssuer];
    const vault = ['--vault-address', store.address, '--vault-token-file', file('ca-token')];
    const run = startMeshroot(['ca', ...keys, ...vault, '--join-kv-path', joined, '--listen', '127.0.0.1:0']);
    programs.push(run);
    return Number((await run.until(/discovery service at 127\.0\.0\.1:\d+/)).split(':').at(-1));
  }

  async function end(run: Run) {
    run.child.kill('SIGTERM');
    return run.ended;
  }

  async function ask(account: string, token: string, port = ports[0]) {
    const { csr } = await testCsr({ uri: `spiffe://cluster.local/ns/demo/sa/${account}` });
    const common = { serverName: 'istiod.istio-system.svc', rootPem, ttl: 3_600_000, csr };
    return requestCertificate({ address: `127.0.0.1:${port}`, token, ...common });
  }

  /** The machine's agent: one folder that it gets its certificate from and writes the next one to. */
  function agent(token: string, env: Record<string, string> = {}) {
    const run = startMeshroot(['workload', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0'], {
      env: {
        CA_ADDR: `127.0.0.1:${ports[0]}`,
        CA_ROOT_CA: file('vm-root.pem'),
        TOKEN: token,
        PROV_CERT: file('vm-certs'),
        OUTPUT_CERTS: file('vm-certs'),
        POD_NAMESPACE: 'demo',
        SERVICE_ACCOUNT: 'shop',
        SECRET_TTL: '1h',
        ...env,
      },
    });
    programs.push(run);
    return run;
  }
  const serial = async () => parseCertificate(await readFile(file('vm-certs/cert-chain.pem'), 'utf8')).serial;

  test('of two replicas that see the same token at the same time exactly one gives a certificate', async () => {
    for (let round = 0; round < 5; round++) {
      const account = `vm-${round}`; // without a jti two tokens of one account and second are the same
      const token = await issuer.token({ account });
      const results = await Promise.allSettled([0, 1, 0, 1].map((i) => ask(account, token, ports[i])));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject(used);
      await expect(ask(account, token, ports[1])).rejects.toMatchObject(used);
    }
  });

  test('by token once, then by its certificate, also after a reboot and without any token', async () => {
    await writeFile(file('vm-root.pem'), rootPem);
    await writeFile(file('vm-token'), await issuer.token());
    const first = agent(file('vm-token'));
    await first.until(/answering peers at/);
    const joinedWith = await serial();
    await end(first);
    await rm(file('vm-token'));
    const second = agent(file('vm-token')); // the reboot: what is left is the folder
    await second.until(/answering peers at/);
    expect(await serial()).not.toBe(joinedWith);
    await end(second);
  });

  test('a certificate that has ended is refused, and the machine told how to come back', async () => {
    const { keyPem, key } = await testCsr();
    const ended = await issueWorkload({
      issuer: {
        certificate: parseCertificate(bundle['ca-cert.pem']),
        privateKey: parsePrivateKey(bundle['ca-key.pem']).privateKey,
      },
      publicKey: key.publicKey,
      uris: ['spiffe://cluster.local/ns/demo/sa/away'],
      ttl: day,
      now: systemClock.now() - 2 * day,
    });
    const common = { serverName: 'istiod.istio-system.svc', rootPem, ttl: 3_600_000, ...(await testCsr()) };
    const client = { chain: ended.pem + bundle['ca-cert.pem'], key: keyPem };
    const renewal = requestCertificate({ address: `127.0.0.1:${ports[0]}`, client, ...common });
    await expect(renewal).rejects.toMatchObject({
      grpcCode: 16,
      message:
        'request authenticate failure: the client certificate has expired, join again with a new token',
    });
  });
});
