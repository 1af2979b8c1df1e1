import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { type MeshWorld, startMeshWorld } from '../../support/mesh-world.ts';
import { runHere } from '../../support/run-here.ts';

describe('a mesh whose root is on a machine without a network', () => {
  let world: MeshWorld;
  let usb: string;
  let word: string;
  const mesh = (...args: string[]) => runHere([...args, '-f', join(world.dir, 'mesh.yaml')], world.env);
  const sign = (...args: string[]) =>
    runHere(['pki', 'sign-offline', ...args, '--dir', usb, '--passphrase-file', word]);
  const requests = () => join(world.dir, 'meshroot-sign');
  const carry = (from: string, to: string, kind: string) => {
    for (const file of readdirSync(from).filter((name) => name.endsWith(kind)))
      renameSync(join(from, file), join(to, file));
  };

  beforeAll(async () => {
    world = await startMeshWorld();
    world.meshFile('mesh.yaml', { top: 'root: offline\n' });
    usb = join(world.dir, 'usb');
    word = join(world.dir, 'word');
    mkdirSync(usb);
    writeFileSync(word, 'correct horse battery staple\n', { mode: 0o600 });
  });
  afterAll(() => world?.stop());

  test('is refused before the first write while its certificate is not there', async () => {
    expect(await mesh('apply', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /root-cert\.pem is not there[\s\S]*on the machine that keeps the root: meshroot pki root --encrypt/,
      ),
    });
    expect(await world.vault.read('sys/mounts/kubernetes-eu-secrets').catch(() => undefined)).toBeUndefined();
  });

  test('has an encrypted key, whose passphrase must be long and in a file of its owner alone', async () => {
    const short = join(world.dir, 'short');
    writeFileSync(short, 'hunter2', { mode: 0o600 });
    const root = (file: string) =>
      runHere(['pki', 'root', '--key-type', 'ec-p256', '--dir', usb, '--passphrase-file', file]);
    expect(await root(short)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('at least 12 characters'),
    });
    writeFileSync(short, 'correct horse battery staple', { mode: 0o644 });
    rmSync(short);
    writeFileSync(short, 'correct horse battery staple', { mode: 0o644 });
    expect(await root(short)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`chmod 600 ${short}`),
    });
    expect((await root(word)).code).toBe(0);
    expect(readFileSync(join(usb, 'root-key.pem'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    writeFileSync(join(world.dir, 'root-cert.pem'), readFileSync(join(usb, 'root-cert.pem')));
  });

  test('apply sets everything up but the certificates, lays the requests out and says what to do', async () => {
    const { code, stderr } = await mesh('apply', '--yes');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /eu +waiting for signature of .*eu\.csr\.pem\n +where the root is: meshroot pki sign-offline eu\.csr\.pem --ttl 90d; put eu\.cert\.pem into/,
      ),
    ]);
    expect(readdirSync(requests()).sort()).toEqual(['eu.csr.pem', 'us.csr.pem']);
    expect(readFileSync(join(requests(), 'eu.csr.pem'), 'utf8')).not.toContain('PRIVATE');
    const plan = await mesh('plan');
    expect(plan).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/nothing to change\. 2 waiting for a signature\. nothing was written/),
    });
  });

  test('a request that was lost on the way is written again, the same', async () => {
    const file = join(requests(), 'eu.csr.pem');
    const before = readFileSync(file, 'utf8');
    rmSync(file);
    expect((await mesh('apply', '--yes')).code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('sign-offline refuses a wrong passphrase and a request for something else, and signs nothing', async () => {
    carry(requests(), usb, '.csr.pem');
    const wrong = join(world.dir, 'wrong');
    writeFileSync(wrong, 'incorrect horse', { mode: 0o600 });
    const eu = join(usb, 'eu.csr.pem');
    expect(
      await runHere(['pki', 'sign-offline', eu, '--dir', usb, '--passphrase-file', wrong]),
    ).toMatchObject({ code: 1, stderr: expect.stringContaining('the passphrase does not open') });
    expect(await sign(join(usb, 'root-cert.pem'))).toMatchObject({
      stderr: expect.stringContaining('not a certificate request'),
    });
    expect(readdirSync(usb).filter((name) => name.endsWith('.cert.pem'))).toEqual([]);
  });

  test('a certificate that answers another request is not taken in', async () => {
    expect((await sign(join(usb, 'eu.csr.pem'), join(usb, 'us.csr.pem'), '--ttl', '30d')).code).toBe(0);
    carry(usb, requests(), '.csr.pem');
    const us = readFileSync(join(usb, 'us.cert.pem'));
    writeFileSync(join(requests(), 'eu.cert.pem'), us);
    expect((await mesh('plan')).stdout).toContain('eu.cert.pem answers another request');
    writeFileSync(join(requests(), 'eu.cert.pem'), 'nonsense');
    expect(await mesh('apply', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('eu.cert.pem is not a certificate'),
    });
  });

  test('apply takes the signed ones in, proves them, and keeps neither request nor spare key', async () => {
    carry(usb, requests(), '.cert.pem');
    const { code, stdout, stderr } = await mesh('apply', '--yes');
    expect([code, stderr]).toEqual([0, expect.anything()]);
    expect(stdout).toMatch(/proof eu .*which is sound for (29|30)d/);
    expect(await mesh('plan')).toMatchObject({ code: 0 });
    expect(await world.vault.list('kubernetes-eu-secrets/istiod-service')).toEqual(['certs', 'certs-public']);
    const stored = (await world.vault.read('kubernetes-eu-secrets/istiod-service/certs'))?.data;
    expect(parseCertificate(String(stored?.ca_cert)).pem).toBe(
      readFileSync(join(requests(), 'eu.cert.pem'), 'utf8'),
    );
    const mounts = Object.keys((await world.vault.read('sys/mounts'))?.data ?? {});
    expect(mounts).not.toContain('meshroot-root/');
  });

  test('rotate makes a request and waits for a person, too', async () => {
    const file = join(world.dir, 'rotate.yaml');
    const text = readFileSync(join(world.dir, 'mesh.yaml'), 'utf8');
    writeFileSync(file, text.replace(/(- name: eu\n)/, '$1    istiod: { address: "127.0.0.1:9" }\n'));
    expect(await runHere(['rotate', 'intermediate', 'eu', '-f', file], world.env)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /waiting for signature of .*eu\.csr\.pem.*\n?.*then: meshroot rotate intermediate eu/,
      ),
    });
    expect((await mesh('plan')).stdout).toContain(
      'a successor is asked for: meshroot rotate intermediate eu',
    );
  });
});
