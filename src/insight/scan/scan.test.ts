import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { days, hours } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { privateKeyPem } from '../../x509/keys.ts';
import { issueWorkload } from '../../x509/templates/workload.ts';
import {
  type TestCa,
  type TestMesh,
  testIntermediate,
  testMesh,
  testNow,
  testRoot,
} from '../../x509/test-ca.ts';
import { gather } from './gather.ts';
import { rules } from './rules.ts';
import { scan } from './scan.ts';

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await testMesh();
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshroot-scan-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, text: string | Buffer, mode = 0o600): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text, { mode });
}

async function writeBundle(name: string, ca: TestCa, root: TestCa): Promise<void> {
  await write(`${name}/ca-key.pem`, privateKeyPem(ca.privateKey).reveal());
  await write(`${name}/ca-cert.pem`, ca.certificate.pem);
  await write(`${name}/cert-chain.pem`, ca.certificate.pem + root.certificate.pem);
  await write(`${name}/root-cert.pem`, root.certificate.pem);
}

const report = async (now = testNow) => scan(await gather([folder]), now);
/** `code file` of each finding, the folder cut off. */
const codes = async (now = testNow): Promise<string[]> =>
  (await report(now)).findings.map(({ code, file }) => `${code} ${file.slice(folder.length + 1)}`);

describe('a mesh.yaml', () => {
  const head = 'apiVersion: meshroot/v1\nkind: Mesh\n';
  const found = async (text: string) => {
    await write('mesh.yaml', text);
    const { findings, ...counts } = scan(await gather([folder]), testNow);
    return {
      ...counts,
      told: findings.map(({ code, file, message }) => `${file.slice(folder.length)} ${code}: ${message}`),
    };
  };

  test('that asks for nothing dangerous is scanned, and clean', async () => {
    const text = `${head}vault: { address: "https://v:8200" }\nclusters: [{ name: eu }]\n`;
    expect(await found(text)).toMatchObject({ errors: 0, warnings: 0, files: 1 });
  });

  test('is judged by what it would bring about: lifetimes, TLS, tokens that stay, readers of the key', async () => {
    const access = 'access: [{ name: app, namespace: app, serviceAccount: app }]';
    const eu = `{ name: eu, reviewer: stored, intermediate: { ttl: 12h }, ${access} }`;
    expect(await found(`${head}vault: { address: "http://v:8200" }\nclusters: [${eu}]\n`)).toMatchObject({
      errors: 2,
      told: [
        '/mesh.yaml ttl-outlives-issuer: eu: a workload certificate is to live 24h, longer than the intermediate (12h)',
        "/mesh.yaml vault-without-tls: eu: http://v:8200 has no TLS; tokens, and the CA's key, go over the wire in clear",
        '/mesh.yaml stored-reviewer-token: eu: a token that does not end is kept in a Secret and in Vault (reviewer: stored)',
        "/mesh.yaml ca-key-readers: eu: access app reads the bundle, and so the CA's key",
      ],
    });
  });

  test('with mistakes has each at its line', async () => {
    expect(
      (await found(`${head}vault: { address: "https://v" }\nclusters: [{ name: EU }]\nrot: {}\n`)).told,
    ).toEqual([
      '/mesh.yaml:4:14 bad-mesh-file: clusters[0].name must be lower case letters, digits and "-", at most 63',
      expect.stringMatching(/^\/mesh.yaml:5:1 bad-mesh-file: rot is not known here; did you mean root\?/),
    ]);
  });
});

describe('the certificates that the seed published', () => {
  const seed = new URL('../../../test/fixtures/seed-bundle', import.meta.url).pathname;

  test('have ended on 16 November 2024, once per intermediate, with the fix', async () => {
    const { findings, errors, files, firstOutage } = scan(await gather([seed]), Date.UTC(2026, 10, 22));
    expect([errors, files, firstOutage]).toEqual([2, 6, Date.UTC(2024, 10, 16, 22, 1, 54)]);
    expect(findings[0]).toMatchObject({
      code: 'expired',
      file: `${seed}/istiod-cluster1/ca-cert.pem`,
      alsoIn: [`${seed}/istiod-cluster1/cert-chain.pem`],
      message:
        'CN=Intermediate CA,O=Istio,L=istiod-cluster1 ended 2024-11-16 (735d ago); every certificate it signed is refused',
      hint: `meshroot rotate intermediate cluster1       or, files only: meshroot pki intermediate istiod-cluster1 --renew --dir ${seed}`,
    });
    expect(findings.map(({ code }) => code)).toEqual(['expired', 'expired']);
  });

  test('were in order while they lasted, and not yet valid before', async () => {
    expect(scan(await gather([seed]), Date.UTC(2023, 0)).findings).toEqual([]);
    const before = scan(await gather([seed]), Date.UTC(2022, 0)).findings.map(({ code }) => code);
    expect(before).toEqual(['not-yet-valid', 'not-yet-valid', 'not-yet-valid']);
  });
});

describe('a folder is clean', () => {
  test('with two clusters under one root, keys beside their certificates', async () => {
    await write('root-key.pem', privateKeyPem(mesh.root.privateKey).reveal());
    await write('root-cert.pem', mesh.root.certificate.pem);
    await writeBundle('cluster1', mesh.intermediate, mesh.root);
    await writeBundle('cluster2', await testIntermediate(mesh.root, { name: 'cluster2' }), mesh.root);
    expect(await codes()).toEqual([]);
    expect(await report()).toMatchObject({ errors: 0, warnings: 0, files: 10, certificates: 3 });
  });

  test('in the layout of a TLS secret, linked as Kubernetes mounts it', async () => {
    await write('..2026/tls.crt', mesh.leaf.certificate.pem + mesh.intermediate.certificate.pem);
    await write('..2026/tls.key', privateKeyPem(mesh.leaf.key.privateKey).reveal());
    await write('..2026/ca.crt', mesh.root.certificate.pem);
    await symlink('..2026', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) await symlink(`..data/${name}`, join(folder, name));
    expect(await codes()).toEqual([]);
    expect((await report()).files).toBe(3);
  });
});

describe('a finding is told', () => {
  test('key-does-not-match: in a bundle, and for pairs of other names', async () => {
    await writeBundle('c', mesh.intermediate, mesh.root);
    const key = privateKeyPem(mesh.leaf.key.privateKey).reveal();
    await write('c/ca-key.pem', key);
    await write('server.key', privateKeyPem(mesh.root.privateKey).reveal());
    await write('server.crt', mesh.leaf.certificate.pem);
    await write('key.pem', privateKeyPem(mesh.root.privateKey).reveal());
    await write('cert-chain.pem', mesh.leaf.certificate.pem + mesh.intermediate.certificate.pem);
    expect(await codes()).toEqual([
      'key-does-not-match c/ca-key.pem',
      'key-does-not-match key.pem',
      'key-does-not-match server.key',
    ]);
  });

  test('chain-incomplete, chain-lacks-ca and chain-out-of-order of bundles', async () => {
    await writeBundle('c', mesh.intermediate, mesh.root);
    await write('c/cert-chain.pem', mesh.root.certificate.pem + mesh.intermediate.certificate.pem);
    await write('tls/tls.crt', mesh.leaf.certificate.pem);
    await write('tls/ca.crt', mesh.root.certificate.pem);
    expect(await codes()).toEqual(['chain-out-of-order c/cert-chain.pem', 'chain-incomplete tls/tls.crt']);
    await rm(join(folder, 'tls'), { recursive: true });
    await write('c/cert-chain.pem', mesh.root.certificate.pem);
    expect(await codes()).toEqual(['chain-lacks-ca c/cert-chain.pem']);
  });

  test('bundle-incomplete and key-not-first, as istiod would refuse to start', async () => {
    await writeBundle('c', mesh.intermediate, mesh.root);
    const key = privateKeyPem(mesh.intermediate.privateKey, 'traditional').reveal();
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    await write('c/ca-key.pem', parameters + key);
    expect(await codes()).toEqual(['key-not-first c/ca-key.pem']);
    await rm(join(folder, 'c/cert-chain.pem'));
    expect(await codes()).toEqual(['bundle-incomplete c/ca-cert.pem', 'key-not-first c/ca-key.pem']);
    expect((await report()).findings[0]?.message).toBe('cert-chain.pem is missing beside it');
  });

  test('every finding has a code of the table', async () => {
    await writeBundle('c', mesh.intermediate, mesh.root);
    await write('c/cert-chain.pem', mesh.root.certificate.pem.repeat(2));
    await write('c/root-cert.pem', mesh.intermediate.certificate.pem.trimEnd());
    const table = rules.flatMap((rule) => rule.codes);
    const found = await codes(testNow + days(900));
    expect(found.length).toBeGreaterThan(3);
    expect(found.map((line) => line.split(' ')[0]).filter((code) => !table.includes(code ?? ''))).toEqual([]);
  });

  test('chain-out-of-order of a file by itself', async () => {
    const { leaf, intermediate, root } = mesh;
    await write('chain.pem', leaf.certificate.pem + root.certificate.pem + intermediate.certificate.pem);
    expect(await codes()).toEqual(['chain-out-of-order chain.pem']);
    await write('chain.pem', leaf.certificate.pem + intermediate.certificate.pem + root.certificate.pem);
    expect(await codes()).toEqual([]);
  });

  test('leaf-outlives-issuer, though the two stand in different files', async () => {
    const short = { ...mesh.intermediate };
    const { root } = mesh;
    const younger = await testRoot('ec-p256', days(10));
    const issuerOfLong = { certificate: root.certificate, privateKey: root.privateKey };
    const long = await testIntermediate(issuerOfLong, { ttl: days(3000) });
    // the root was made anew with the same key and a shorter life
    const { createRoot } = await import('../../x509/templates/root.ts');
    const shorter = await createRoot({ key: root.key, ttl: days(100), now: testNow });
    await write('a/root.pem', shorter.pem);
    await write('b/ca.pem', long.certificate.pem);
    await write('c/leaf.pem', short.certificate.pem);
    await write('d/other.pem', younger.certificate.pem);
    expect((await report()).findings).toMatchObject([
      {
        code: 'leaf-outlives-issuer',
        file: `${folder}/b/ca.pem`,
        message:
          'CN=Intermediate CA,O=Istio,L=cluster1 to 2034-03-20, its issuer CN=Root CA,O=Istio to 2026-04-11 (2900d earlier)',
      },
    ]);
  });

  test('root-mismatch between clusters, but not while both trust both', async () => {
    const otherRoot = await testRoot();
    await writeBundle('cluster1', mesh.intermediate, mesh.root);
    await writeBundle('cluster2', await testIntermediate(otherRoot, { name: 'cluster2' }), otherRoot);
    expect(await codes()).toEqual([
      'root-mismatch cluster1/root-cert.pem',
      'root-mismatch cluster2/root-cert.pem',
    ]);
    const both = mesh.root.certificate.pem + otherRoot.certificate.pem;
    await write('cluster1/root-cert.pem', both);
    await write('cluster2/root-cert.pem', both);
    expect(await codes()).toEqual([]);
  });

  test('expired leaves get another fix than CAs', async () => {
    await write('leaf.pem', mesh.leaf.certificate.pem);
    const [finding] = (await report(testNow + hours(60))).findings;
    expect(finding).toMatchObject({
      message: 'spiffe://cluster.local/ns/demo/sa/web ended 2026-01-02 (1d ago)',
      hint: 'issue it again; for a mesh workload: restart the pod',
    });
  });

  test('a key that everyone may read is a warning', async () => {
    await write('a-key.pem', privateKeyPem(mesh.root.privateKey).reveal());
    await chmod(join(folder, 'a-key.pem'), 0o644);
    expect((await report()).findings).toMatchObject([
      { code: 'key-readable-by-all', severity: 'warning', message: 'a private key with mode 0644' },
    ]);
  });
});

describe('what cannot be read', () => {
  test('is a finding, and the rest is judged all the same', async () => {
    await write('a.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n');
    await write('b.pem', 'hello');
    await write('c.der', Buffer.from('30030201ff', 'hex'));
    await write('d.pem', 'x'.repeat(2 ** 20 + 1));
    await symlink('nowhere', join(folder, 'e.pem'));
    await write('f.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    await write('g.txt', 'not looked at');
    await write('z.pem', mesh.leaf.certificate.pem);
    expect(await codes(testNow + days(2))).toEqual([
      'bad-certificate a.pem',
      'bad-certificate b.pem',
      'bad-certificate c.der',
      'file-too-large d.pem',
      'file-unreadable e.pem',
      'bad-private-key f.key',
      'expired z.pem',
    ]);
  });

  test('stops the run when a path that was named does not exist, or nothing was found', async () => {
    await expect(gather([join(folder, 'none')])).rejects.toMatchObject({ code: 'no-such-path', exit: 2 });
    await expect(report()).rejects.toMatchObject({ code: 'nothing-to-scan', exit: 2 });
  });

  test('files beyond the limit are not opened, and that is said', async () => {
    for (const name of ['a', 'b', 'c']) await write(`${name}.pem`, mesh.leaf.certificate.pem);
    const input = await gather([folder], { maxFiles: 2, maxFileSize: 9999, maxDepth: 3 });
    expect(input.files).toHaveLength(2);
    expect(input.problems).toMatchObject([{ code: 'too-many-files' }]);
  });
});

test('whatever stands in the files of a bundle, scan reports or refuses, and does not break', async () => {
  await writeBundle('c', mesh.intermediate, mesh.root);
  const valid = Buffer.from(mesh.intermediate.certificate.pem + mesh.root.certificate.pem);
  const names = fc.constantFrom(
    'ca-cert.pem',
    'cert-chain.pem',
    'root-cert.pem',
    'ca-key.pem',
    'tls.crt',
    'ca.crt',
  );
  const mutation = fc.tuple(names, fc.nat(valid.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(mutation, async ([name, at, value]) => {
      const bytes = Buffer.from(valid);
      bytes[at] = value;
      await write(`c/${name}`, bytes);
      try {
        expect((await report()).files).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(MeshrootError);
      }
    }),
    { numRuns: 60 },
  );
});

test('a workload certificate of a scanned issuer has the issuer’s end at most', async () => {
  const leaf = await issueWorkload({
    issuer: mesh.intermediate,
    publicKey: mesh.leaf.key.publicKey,
    spiffeId: 'spiffe://a/b',
    ttl: days(900),
    now: testNow,
  });
  await write('leaf.pem', leaf.pem);
  await write('ca.pem', mesh.intermediate.certificate.pem);
  expect(await codes()).toEqual([]);
});
