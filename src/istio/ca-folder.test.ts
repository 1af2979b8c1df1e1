import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderMark, readBundleFolder } from './ca-folder.ts';
import { swapFiles, tempFolder, testBundle, testRoot, writeFiles } from './test-mesh.ts';

describe('the folder of plugged-in files', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  beforeEach(async () => {
    folder = await tempFolder();
  });
  afterEach(() => folder.remove());

  test('an empty one is refused: nothing is invented instead', async () => {
    await expect(readBundleFolder(folder.path)).rejects.toMatchObject({
      code: 'no-bundle',
      message: `no signing CA bundle in ${folder.path}`,
      hint: expect.stringContaining('never'),
    });
  });

  test('one that is not there is refused the same way', async () => {
    await expect(readBundleFolder(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'no-bundle' });
  });

  test('three of four files are an incomplete set', async () => {
    const { 'root-cert.pem': _, ...three } = await testBundle(await testRoot());
    await writeFiles(folder.path, three);
    await expect(readBundleFolder(folder.path)).rejects.toMatchObject({
      code: 'incomplete-bundle',
      message: `incomplete signing CA bundle detected in ${folder.path}: 3 of 4 files are there`,
    });
  });

  test('plain files and a ..data swap read the same', async () => {
    const files = await testBundle(await testRoot());
    await swapFiles(folder.path, files, '1');
    const { layout, bundle } = await readBundleFolder(folder.path);
    expect(layout).toBe('istio');
    expect(bundle.caCert).toBe(files['ca-cert.pem']);
    expect(bundle.caKey.reveal()).toBe(files['ca-key.pem']);
    expect(String(bundle.caKey)).toBe('(hidden)');
  });

  test('tls.crt wins over the other set, as in istiod; its chain gets ca.crt', async () => {
    const files = await testBundle(await testRoot());
    await writeFiles(folder.path, files);
    const other = await testBundle(await testRoot());
    await writeFile(join(folder.path, 'tls.crt'), other['ca-cert.pem']);
    await writeFile(join(folder.path, 'tls.key'), other['ca-key.pem']);
    await expect(readBundleFolder(folder.path)).rejects.toMatchObject({ code: 'incomplete-bundle' });
    await writeFile(join(folder.path, 'ca.crt'), other['root-cert.pem']);
    const { layout, bundle } = await readBundleFolder(folder.path);
    expect(layout).toBe('tls');
    expect(bundle.certChain).toBe(other['ca-cert.pem'] + other['root-cert.pem']);
  });

  test('its mark moves with every file', async () => {
    const files = await testBundle(await testRoot());
    await writeFiles(folder.path, files);
    const before = await folderMark(folder.path);
    expect(await folderMark(folder.path)).toBe(before);
    await writeFiles(folder.path, { 'root-cert.pem': files['root-cert.pem'] });
    expect(await folderMark(folder.path)).not.toBe(before);
  });
});
