import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KubeObject, WatchEvent } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { days, hours } from '../lib/duration.ts';
import { applyPatch, type PatchOperation } from '../lib/json-patch.ts';
import { silentLogger } from '../lib/log.ts';
import { isSignedBy, parseCertificate, parseCertificates } from '../x509/certificate.ts';
import { caBundlePatch } from './ca-bundle.ts';
import { fileCertificate } from './file-certificate.ts';
import { CaBundleKeeper } from './keep-ca-bundle.ts';
import { webhookConfiguration } from './registration.ts';
import { joinCaBundle, mergeCaBundle, selfMadeCertificate } from './self-made-certificate.ts';

const start = Date.UTC(2026, 0, 1);

/** Sleeping moves the time on; `until` aborts when the time has come. */
function clockUntil(end: number, stop: AbortController): Clock & { slept: number[] } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
      if (now >= end) stop.abort();
      await new Promise(setImmediate);
    },
  };
}

const fixed: Clock = { now: () => start, sleep: () => new Promise(() => {}) };
const make = (at = start) =>
  selfMadeCertificate(['injector.vault.svc', '127.0.0.1'], { ...fixed, now: () => at }, silentLogger);

describe('the certificate that the injector makes for itself', () => {
  test('is for its hosts, lives a day and is signed by the CA that goes into the bundle', async () => {
    const source = await make();
    const leaf = parseCertificate(source.current.certificate);
    expect(leaf.sans).toMatchObject({ dns: ['injector.vault.svc'], ip: ['127.0.0.1'] });
    expect(leaf.notAfter - start).toBe(hours(24));
    expect(isSignedBy(leaf, parseCertificate(source.caBundle ?? ''))).toBe(true);
  });

  test('is reissued before its end for as long as it runs, and the CA with it when its time comes', async () => {
    const stop = new AbortController();
    const clock = clockUntil(start + days(400), stop);
    const source = await selfMadeCertificate(['a'], clock, silentLogger);
    const firstCa = source.caBundle;
    const left: number[] = [];
    let previous = parseCertificate(source.current.certificate);
    await source.follow(() => {
      left.push(previous.notAfter - clock.now());
      previous = parseCertificate(source.current.certificate);
      expect(isSignedBy(previous, parseCertificate(source.caBundle ?? ''))).toBe(true);
    }, stop.signal);
    expect(Math.min(...left)).toBeGreaterThan(hours(2));
    expect(source.caBundle).not.toBe(firstCa);
  });
});

describe('the bundle', () => {
  test('of two replicas holds both CAs and does not change from turn to turn', async () => {
    const [a, b] = [(await make()).caBundle ?? '', (await make()).caBundle ?? ''];
    const both = mergeCaBundle(mergeCaBundle('', a, start), b, start);
    expect(parseCertificates(both)).toHaveLength(2);
    expect(mergeCaBundle(both, a, start)).toBe(both);
    expect(mergeCaBundle(both, b, start)).toBe(both);
  });

  test('loses CAs that ended and those that are not of an injector', async () => {
    const old = (await make()).caBundle ?? '';
    const own = (await make(start + days(400))).caBundle ?? '';
    expect(mergeCaBundle(old, own, start + days(400))).toBe(own);
    expect(mergeCaBundle('garbage', own, start)).toBe(own);
    expect(mergeCaBundle((await make()).current.certificate, own, start)).toBe(own);
  });

  test('of a replica that does not lead gains its CA and loses none, whatever its clock says', async () => {
    const [a, b] = [(await make()).caBundle ?? '', (await make()).caBundle ?? ''];
    expect(joinCaBundle(a, b)).toBe(a + b);
    expect(joinCaBundle(a + b, a)).toBe(a + b);
    expect(joinCaBundle('what no API server can read', a)).toBe(a);
  });

  test('is patched into every entry that differs, each guarded by its name', () => {
    const configuration = {
      webhooks: [
        { name: 'a', clientConfig: {} },
        { name: 'b', clientConfig: { caBundle: btoa('ca') } },
        { name: 'c', clientConfig: { caBundle: '' } },
      ],
    };
    expect(caBundlePatch(configuration, () => 'ca')).toEqual([
      { op: 'test', path: '/webhooks/0/name', value: 'a' },
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: btoa('ca') },
      { op: 'test', path: '/webhooks/2/name', value: 'c' },
      { op: 'add', path: '/webhooks/2/clientConfig/caBundle', value: btoa('ca') },
    ]);
    expect(caBundlePatch({ webhooks: [configuration.webhooks[1]] }, () => 'ca')).toBeUndefined();
    expect(caBundlePatch({}, () => 'ca')).toBeUndefined();
  });
});

/** One configuration in memory, with a watch. */
class FakeCluster {
  object: KubeObject = webhookConfiguration({ name: 'cfg', namespace: 'vault' });
  readonly patches: unknown[] = [];
  failures = 0;
  #tell: (event: WatchEvent) => void = () => {};
  readonly healed: (() => void)[] = [];

  get = async (): Promise<KubeObject> => this.object;
  patch = async (_ref: unknown, patch: unknown): Promise<KubeObject> => {
    if (this.failures-- > 0) throw new Error('the API server is away');
    this.patches.push(patch);
    this.set(applyPatch(this.object, patch as PatchOperation[]) as KubeObject);
    this.healed.shift()?.();
    return this.object;
  };
  watch = async (
    _type: unknown,
    _options: unknown,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    this.#tell = onEvent;
    onEvent({ type: 'ADDED', object: this.object });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  set(object: KubeObject): void {
    this.object = object;
    this.#tell({ type: 'MODIFIED', object });
  }
  nextPatch(): Promise<void> {
    return new Promise((resolve) => this.healed.push(resolve));
  }
}

describe('the caBundle of the registration', () => {
  test('is set at the start, also when the first tries fail, and set again after somebody emptied it', async () => {
    const stop = new AbortController();
    const cluster = new FakeCluster();
    cluster.failures = 2;
    const clock: Clock = { now: () => start, sleep: () => new Promise(setImmediate) };
    const keeper = new CaBundleKeeper({
      kube: cluster,
      name: 'cfg',
      merge: () => 'ca',
      clock,
      log: silentLogger,
    });
    const first = cluster.nextPatch();
    const following = keeper.follow(stop.signal);
    await first;
    expect(cluster.object.webhooks).toMatchObject([{ clientConfig: { caBundle: btoa('ca') } }]);
    const second = cluster.nextPatch();
    cluster.set(webhookConfiguration({ name: 'cfg', namespace: 'vault' })); // as helm upgrade or a GitOps tool does
    await second;
    expect(cluster.object.webhooks).toMatchObject([{ clientConfig: { caBundle: btoa('ca') } }]);
    stop.abort();
    await following;
    expect(cluster.patches).toHaveLength(2);
  });
});

describe('a certificate from files', () => {
  test('is read again when it changes, and half a pair is not served', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'injector-'));
    const files = { certFile: join(dir, 't.crt'), keyFile: join(dir, 't.key'), caFile: '' };
    const [first, second] = [await make(), await make()];
    const write = async (cert: string, key: string) => {
      await writeFile(files.certFile, cert);
      await writeFile(files.keyFile, key);
    };
    await write(first.current.certificate, first.current.key.reveal());
    const stop = new AbortController();
    const steps = [
      () => writeFile(files.certFile, second.current.certificate), // the key comes a moment later
      () => writeFile(files.keyFile, second.current.key.reveal()),
      async () => {},
      async () => stop.abort(),
    ];
    const seen: string[] = [];
    const clock: Clock = {
      now: () => start,
      sleep: async () => {
        await steps.shift()?.();
      },
    };
    const source = await fileCertificate(files, clock, silentLogger);
    await source.follow(() => seen.push(source.current.certificate), stop.signal);
    expect(seen).toEqual([second.current.certificate]);
  });

  test('that is not there is refused with the flags to look at', async () => {
    await expect(
      fileCertificate({ certFile: '/nope.crt', keyFile: '/nope.key', caFile: '' }, fixed, silentLogger),
    ).rejects.toMatchObject({
      code: 'bad-certificate-files',
      message: expect.stringContaining('cannot serve with /nope.crt: ENOENT'),
      hint: 'check -tls-cert-file and -tls-key-file',
    });
  });
});
