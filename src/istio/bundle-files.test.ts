import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import type { IstioBundle } from './bundle.ts';
import { bundleFilesIn, readBundleFiles, writeBundleFiles } from './bundle-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshroot-bundle-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bundle = (mark: string): IstioBundle => ({
  caKey: new Secret(`key ${mark}`),
  caCert: `cert ${mark}`,
  certChain: `chain ${mark}`,
  rootCert: `root ${mark}`,
});

async function read(): Promise<string[]> {
  const { caKey, caCert, certChain, rootCert } = (await readBundleFiles(folder)).bundle;
  return [caKey.reveal(), caCert, certChain, rootCert];
}

test('the four files are written with a key that only its owner reads, and nothing else is left or lost', async () => {
  await writeFile(join(folder, 'intermediate.conf'), 'mine');
  await writeBundleFiles(folder, bundle('1'));
  await writeBundleFiles(folder, bundle('2'));
  expect((await readdir(folder)).sort()).toEqual([
    'ca-cert.pem',
    'ca-key.pem',
    'cert-chain.pem',
    'intermediate.conf',
    'root-cert.pem',
  ]);
  expect((await stat(join(folder, 'ca-key.pem'))).mode & 0o777).toBe(0o600);
  expect(await read()).toEqual(['key 2', 'cert 2', 'chain 2', 'root 2']);
  expect((await readBundleFiles(folder)).keyMode).toBe(0o600);
});

test('a write that died after its commit is read as the new set, and finished by the next write', async () => {
  await writeBundleFiles(folder, bundle('1'));
  const committed = join(folder, '.meshroot-next');
  await mkdir(committed);
  await writeFile(join(folder, 'ca-key.pem'), 'key 2'); // the one rename that was done
  await writeFile(join(committed, 'ca-cert.pem'), 'cert 2');
  await writeFile(join(committed, 'cert-chain.pem'), 'chain 2');
  await writeFile(join(committed, 'root-cert.pem'), 'root 2');
  expect(await read()).toEqual(['key 2', 'cert 2', 'chain 2', 'root 2']);
  await writeBundleFiles(folder, bundle('3'));
  expect(await readFile(join(folder, 'root-cert.pem'), 'utf8')).toBe('root 3');
  expect(await readdir(folder)).toHaveLength(4);
});

test('a write that died before its commit changed nothing and is not in the way', async () => {
  await writeBundleFiles(folder, bundle('1'));
  await mkdir(join(folder, '.meshroot-staging'));
  await writeFile(join(folder, '.meshroot-staging', 'ca-key.pem'), 'half');
  expect(await read()).toEqual(['key 1', 'cert 1', 'chain 1', 'root 1']);
  await writeBundleFiles(folder, bundle('2'));
  expect(await readdir(folder)).toHaveLength(4);
});

test('a missing file and one that is too large are refused by name', async () => {
  await writeBundleFiles(folder, bundle('1'));
  await rm(join(folder, 'cert-chain.pem'));
  await expect(readBundleFiles(folder)).rejects.toMatchObject({
    code: 'bundle-incomplete',
    message: `${folder}/cert-chain.pem is missing`,
  });
  expect(await bundleFilesIn(folder)).toEqual(['ca-key.pem', 'ca-cert.pem', 'root-cert.pem']);
  await writeFile(join(folder, 'cert-chain.pem'), 'x'.repeat(2 ** 20 + 1));
  await expect(readBundleFiles(folder)).rejects.toMatchObject({ code: 'file-too-large' });
});

test.skipIf(process.getuid?.() === 0)(
  'a file that may not be read is refused (root may read all)',
  async () => {
    await writeBundleFiles(folder, bundle('1'));
    await chmod(join(folder, 'ca-key.pem'), 0);
    await expect(readBundleFiles(folder)).rejects.toMatchObject({
      code: 'file-unreadable',
      message: `${folder}/ca-key.pem cannot be read (EACCES)`,
    });
  },
);
