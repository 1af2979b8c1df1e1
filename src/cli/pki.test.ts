import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { run } from './main.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'meshroot-pki-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function meshroot(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        text[name] += String(chunk);
        done();
      },
    });
  const io = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: {},
    signal: new AbortController().signal,
    exitCode: 0,
  };
  return { exit: await run(argv, io), ...text };
}

const pki = (...argv: string[]) => meshroot('pki', ...argv, '--dir', dir);
const text = (name: string) => readFile(join(dir, name), 'utf8');
const ec = ['--key-type', 'ec-p256'];

describe('meshroot pki', () => {
  test('writes what the Makefiles of tools/certs write', async () => {
    expect(await pki('root', ...ec)).toMatchObject({
      exit: 0,
      stdout: `${dir}/root-key.pem\n${dir}/root-cert.pem\n`,
    });
    const made = await pki('intermediate', 'istiod-cluster1', ...ec, '--json');
    expect(JSON.parse(made.stdout)).toMatchObject({
      kind: 'intermediate',
      renewed: false,
      keyType: 'ec-p256',
    });
    expect((await readdir(dir)).sort()).toEqual(['istiod-cluster1', 'root-cert.pem', 'root-key.pem']);
    const chain = parseCertificates(await text('istiod-cluster1/cert-chain.pem'));
    expect(chain.map(({ pem }) => pem).join('')).toBe(
      (await text('istiod-cluster1/ca-cert.pem')) + (await text('root-cert.pem')),
    );
    expect(await text('istiod-cluster1/root-cert.pem')).toBe(await text('root-cert.pem'));
    expect(chain[0]?.notAfter).toBe(chain[1]?.notAfter);
    for (const key of ['root-key.pem', 'istiod-cluster1/ca-key.pem']) {
      expect((await stat(join(dir, key))).mode & 0o777).toBe(0o600);
      expect(await text(key)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    }
    expect(await meshroot('scan', dir)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^0 errors in 6 files/),
    });
  });

  test('uses RSA-4096 and ten years unless told otherwise, as the seed', async () => {
    await pki('root');
    const root = parseCertificate(await text('root-cert.pem'));
    expect(root.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(Math.round((root.notAfter - root.notBefore) / 86_400_000)).toBe(3650);
  });

  test('never overwrites a root, and an intermediate only with --renew', async () => {
    await pki('root', ...ec);
    const root = await text('root-cert.pem');
    expect(await pki('root', ...ec)).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(
        /^\S+root-key.pem is there already, and a root is never overwritten {6}choose/,
      ),
    });
    await pki('intermediate', 'c', ...ec);
    const [cert, key] = [await text('c/ca-cert.pem'), await text('c/ca-key.pem')];
    const refused = await pki('intermediate', 'c', ...ec);
    expect(refused).toMatchObject({ exit: 1, stdout: '' });
    expect(refused.stderr).toContain(
      'to replace the set, with a new key: meshroot pki intermediate c --renew',
    );
    expect(await text('c/ca-cert.pem')).toBe(cert);
    const renewed = await pki('intermediate', 'c', ...ec, '--renew', '--ttl', '90d', '--json');
    expect(JSON.parse(renewed.stdout)).toMatchObject({ renewed: true });
    expect(await text('c/ca-cert.pem')).not.toBe(cert);
    expect(await text('c/ca-key.pem')).not.toBe(key);
    expect(await text('root-cert.pem')).toBe(root);
  });

  test.each(['../x', '.', '..', 'a/b', '.hidden', '-x', 'a b', 'ü', ''])(
    'refuses the name %j',
    async (name) => {
      const refused = await meshroot('pki', 'intermediate', '--dir', dir, ...ec, '--', name);
      expect(refused).toMatchObject({
        exit: 2,
        stderr: expect.stringContaining('cannot name an intermediate'),
      });
      expect(await readdir(dir)).toEqual([]);
    },
  );

  test('says what is missing, and what does not fit', async () => {
    expect(await pki('intermediate', 'c', ...ec)).toMatchObject({
      exit: 2,
      stderr: `${dir}/root-key.pem is missing: there is no root to sign with      make one: meshroot pki root --dir ${dir}\n`,
    });
    await pki('root', ...ec, '--ttl', '10d');
    expect(await pki('intermediate', 'c', ...ec, '--ttl', '11d')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/^the intermediate would end .* after its issuer/),
    });
    expect((await pki('intermediate', 'c', '--ttl', '-1d')).exit).toBe(2);
    expect((await pki('root', '--key-type', 'dsa')).exit).toBe(2);
    const other = await text('root-key.pem');
    await rm(join(dir, 'root-key.pem'));
    await rm(join(dir, 'root-cert.pem'));
    await pki('root', ...ec);
    await writeFile(join(dir, 'root-key.pem'), other);
    const mismatch = await pki('intermediate', 'c', ...ec, '--json');
    expect(mismatch.exit).toBe(1);
    expect(JSON.parse(mismatch.stdout)).toMatchObject({ error: { code: 'key-does-not-match' } });
    expect(mismatch.stdout + mismatch.stderr).not.toContain('PRIVATE');
  });

  test.skipIf(spawnSync('openssl', ['version']).status !== 0)(
    'is accepted by openssl (skipped where it is not installed), and accepts a root that openssl made',
    async () => {
      const made = spawnSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-keyout',
          'root-key.pem',
          '-out',
          'root-cert.pem',
          '-days',
          '30',
          '-subj',
          '/O=Istio/CN=Root CA',
          '-addext',
          'keyUsage=critical,keyCertSign',
        ],
        { cwd: dir },
      );
      expect(made.status).toBe(0);
      expect((await pki('intermediate', 'c', ...ec)).exit).toBe(0);
      const verified = spawnSync(
        'openssl',
        ['verify', '-x509_strict', '-CAfile', 'root-cert.pem', 'c/ca-cert.pem'],
        { cwd: dir },
      );
      expect(String(verified.stdout)).toBe('c/ca-cert.pem: OK\n');
    },
  );
});

describe('meshroot scan', () => {
  const seed = new URL('../../test/fixtures/seed-bundle', import.meta.url).pathname;

  test('prints code, file, what, fix and a summary; errors give 1', async () => {
    const { exit, stdout } = await meshroot('scan', '--at', '2026-11-22', seed);
    expect(exit).toBe(1);
    expect(stdout.replaceAll(seed, 'SEED')).toBe(
      [1, 2]
        .map(
          (n) =>
            `expired   SEED/istiod-cluster${n}/ca-cert.pem   CN=Intermediate CA,O=Istio,L=istiod-cluster${n} ended 2024-11-16 (735d ago); every certificate it signed is refused\n` +
            `    fix   meshroot rotate intermediate cluster${n}       or, files only: meshroot pki intermediate istiod-cluster${n} --renew --dir SEED\n`,
        )
        .join('')
        .concat('2 errors in 6 files. first outage: 2024-11-16 (735d ago)\n'),
    );
  });

  test('--json has everything', async () => {
    const { exit, stdout } = await meshroot('scan', '--json', '--at', '2023-01-01', seed);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      at: '2023-01-01T00:00:00.000Z',
      errors: 0,
      warnings: 0,
      files: 6,
      certificates: 3,
      firstOutage: '2024-11-16T22:01:54.000Z',
      findings: [],
    });
  });

  test('cannot run on what is not there', async () => {
    expect(await meshroot('scan', join(dir, 'none'))).toMatchObject({
      exit: 2,
      stderr: `there is no file or folder ${dir}/none\n`,
    });
  });

  test('a name in a certificate cannot steer the terminal', async () => {
    await writeFile(join(dir, 'a\u001b[31m.pem'), 'x');
    expect((await meshroot('scan', dir)).stdout).not.toContain('\u001b');
  });
});
