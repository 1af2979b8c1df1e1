import { readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { tempFolder, testBundle, testRoot, writeFiles } from '../istio/test-mesh.ts';
import { WorkloadCertificate } from '../istio/workload-certificate.ts';
import { workloadSettings } from '../istio/workload-settings.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { parseCertificate } from '../x509/certificate.ts';

describe('the certificate of a workload', () => {
  let ca: Awaited<ReturnType<typeof runningCa>>;
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  beforeAll(async () => {
    ca = await runningCa();
    folder = await tempFolder();
    await writeFile(join(folder.path, 'token'), `${await ca.token()}\n`);
    await writeFile(join(folder.path, 'root.pem'), ca.root.certificate.pem);
  });
  afterAll(async () => {
    await ca.close();
    await folder.remove();
  });

  function make(env: Record<string, string> = {}, clock: Clock = systemClock) {
    const settings = workloadSettings({
      CA_ADDR: ca.address,
      CA_ROOT_CA: join(folder.path, 'root.pem'),
      TOKEN: join(folder.path, 'token'),
      POD_NAMESPACE: 'demo',
      SERVICE_ACCOUNT: 'shop',
      ISTIO_META_CLUSTER_ID: 'cluster1',
      ...env,
    });
    return new WorkloadCertificate({ settings, clock, random: () => 0.5, log: silentLogger });
  }

  test('is fetched with the token and written as one set, mode 0600', async () => {
    const output = join(folder.path, 'out');
    const certificate = make({ OUTPUT_CERTS: output });
    const { leaf } = await certificate.renew();
    expect(leaf.sans.uri).toEqual([certificate.uri]);
    expect((await stat(join(output, 'key.pem'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(output, 'key.pem'), 'utf8')).toContain('BEGIN EC PRIVATE KEY');
    expect(parseCertificate(await readFile(join(output, 'cert-chain.pem'), 'utf8')).serial).toBe(leaf.serial);
    expect(await readFile(join(output, 'root-cert.pem'), 'utf8')).toBe(ca.root.certificate.pem);
    const next = await certificate.renew();
    expect(await readlink(join(output, '..data'))).toBe(`..set-${next.leaf.serial}`);
    await certificate.renew();
    expect((await readdir(output)).filter((name) => name.startsWith('..set-'))).toHaveLength(2);
    expect(certificate.reloads).toBe(2);
  });

  test('a machine joins by token once, then renews itself by its certificate, over a reboot too', async () => {
    const output = join(folder.path, 'machine');
    const once = join(folder.path, 'once');
    await writeFile(once, await ca.token());
    const env = { OUTPUT_CERTS: output, PROV_CERT: output, TOKEN: once };
    const first = await make(env).renew();
    await rm(once);
    const rebooted = make(env);
    const second = await rebooted.renew();
    expect(second.leaf.sans.uri).toEqual(first.leaf.sans.uri);
    expect(second.leaf.serial).not.toBe(first.leaf.serial);
    expect((await rebooted.renew()).leaf.serial).not.toBe(second.leaf.serial);
    const later: Clock = { now: () => second.leaf.notAfter + 2 * 86_400_000, sleep: async () => {} };
    await expect(make(env, later).renew()).rejects.toMatchObject({
      code: 'file-missing',
      message: `cannot read the service account token (TOKEN) at ${once}`,
    });
  });

  test('a refusal is not asked again; a CA that is away is, five times, and the last good one stays', async () => {
    const sleeps: number[] = [];
    const clock: Clock = { now: systemClock.now, sleep: async (ms) => void sleeps.push(ms) };
    await expect(make({ ISTIO_META_CLUSTER_ID: 'other' }, clock).renew()).rejects.toMatchObject({
      grpcCode: 16,
    });
    expect(sleeps).toEqual([]);
    await expect(make({ CA_ADDR: '127.0.0.1:1' }, clock).renew()).rejects.toMatchObject({ grpcCode: 14 });
    expect(sleeps).toEqual([100, 200, 400, 800]);
  });

  test('a CA of another root is not believed', async () => {
    const root = join(folder.path, 'other.pem');
    await writeFile(root, (await testRoot('Other')).certificate.pem);
    const clock: Clock = { now: systemClock.now, sleep: async () => {} };
    await expect(make({ CA_ROOT_CA: root }, clock).renew()).rejects.toMatchObject({ grpcCode: 14 });
  });

  test('a token that is not there is named', async () => {
    await expect(make({ TOKEN: '/nowhere/token' }).renew()).rejects.toMatchObject({
      code: 'file-missing',
      message: 'cannot read the service account token (TOKEN) at /nowhere/token',
    });
  });

  test('is renewed at half of its life', async () => {
    let now = Date.now();
    const slept: number[] = [];
    const stop = new AbortController();
    const clock: Clock = {
      now: () => now,
      sleep: async (ms) => {
        slept.push(ms);
        now += ms;
        if (slept.length === 2) stop.abort();
      },
    };
    let first = 0;
    await make({ SECRET_TTL: '1000s' }, clock).run(stop.signal, () => {
      first += 1;
    });
    expect(first).toBe(1);
    expect(slept[0]).toBeGreaterThan(495_000);
    expect(slept[0]).toBeLessThan(505_000);
  });

  test('a new intermediate shows in the next certificate', async () => {
    const certificate = make();
    const before = (await certificate.renew()).issuerSerial;
    const next = await testBundle(ca.root, { name: 'next' });
    const since = ca.log().length;
    await writeFiles(ca.folder, next);
    await ca.logged('Istiod has detected', since);
    const after = (await certificate.renew()).issuerSerial;
    expect(after).toBe(parseCertificate(next['ca-cert.pem']).serial);
    expect(after).not.toBe(before);
  });
});

describe('settings of a workload', () => {
  const needed = { CA_ADDR: 'istiod.istio-system.svc:15012', POD_NAMESPACE: 'n', SERVICE_ACCOUNT: 's' };

  test.each([
    ['istiod.istio-system.svc:15012', 'istiod.istio-system.svc'],
    ['istiod-canary.istio-system.svc:15012', 'istiod-canary.istio-system.svc'],
    ['localhost:15012', 'istiod.istio-system.svc'],
    ['127.0.0.1:15012', 'istiod.istio-system.svc'],
    ['[::1]:15012', 'istiod.istio-system.svc'],
  ])('the CA at %s must be %s', (address, name) => {
    expect(workloadSettings({ ...needed, CA_ADDR: address }).caName).toBe(name);
  });

  test('a missing variable is named', () => {
    const { SERVICE_ACCOUNT: _, ...rest } = needed;
    expect(() => workloadSettings(rest)).toThrow(
      expect.objectContaining({ code: 'missing-variable', message: 'SERVICE_ACCOUNT is not set' }),
    );
  });
});
