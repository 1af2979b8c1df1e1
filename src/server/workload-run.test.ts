import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { tempFolder } from '../istio/test-mesh.ts';
import { workloadSettings } from '../istio/workload-settings.ts';
import { systemClock } from '../lib/clock.ts';
import { istioLogger } from './istio-log.ts';
import { runWorkload } from './workload-run.ts';

type Ca = Awaited<ReturnType<typeof runningCa>>;

/** A workload of this process: its two ports and a way to give it orders. */
async function workload(ca: Ca, account: string, trustDomain = 'cluster.local') {
  const folder = await tempFolder();
  await writeFile(join(folder.path, 'token'), await ca.token({ account }));
  await writeFile(join(folder.path, 'root.pem'), ca.root.certificate.pem);
  const stop = new AbortController();
  const out = new PassThrough();
  let log = '';
  out.on('data', (part) => {
    log += String(part);
  });
  const done = runWorkload({
    settings: workloadSettings({
      CA_ADDR: ca.address,
      CA_ROOT_CA: join(folder.path, 'root.pem'),
      TOKEN: join(folder.path, 'token'),
      POD_NAMESPACE: 'demo',
      SERVICE_ACCOUNT: account,
      TRUST_DOMAIN: trustDomain,
    }),
    listen: '127.0.0.1:0',
    control: '127.0.0.1:0',
    clock: systemClock,
    random: () => 0.5,
    log: istioLogger(out, systemClock),
    signal: stop.signal,
  });
  const portAfter = async (text: string) =>
    Number(
      await vi.waitFor(
        () => new RegExp(`${text} 127.0.0.1:(\\d+)`).exec(log)?.[1] ?? expect.fail(log),
        10_000,
      ),
    );
  const [control, port] = [await portAfter('taking orders at'), await portAfter('answering peers at')];
  const order = async (path: string, body?: unknown) => {
    const post = { method: 'POST', body: JSON.stringify(body) };
    return (
      await fetch(`http://127.0.0.1:${control}${path}`, body === undefined ? {} : post)
    ).json() as Promise<Record<string, unknown>>;
  };
  const close = async () => {
    stop.abort();
    await done;
    await folder.remove();
  };
  return { port, order, close };
}

describe('workloads shake hands', () => {
  let ca: Ca;
  let a: Awaited<ReturnType<typeof workload>>;
  let b: Awaited<ReturnType<typeof workload>>;
  beforeAll(async () => {
    ca = await runningCa();
    [a, b] = await Promise.all([workload(ca, 'a'), workload(ca, 'b')]);
  });
  afterAll(async () => {
    await Promise.all([a.close(), b.close()]);
    await ca.close();
  });

  test('each proves who it is, and the peer is who was expected', async () => {
    const expected = 'spiffe://cluster.local/ns/demo/sa/b';
    expect(await a.order('/handshake', { host: '127.0.0.1', port: b.port, expect: expected })).toMatchObject({
      ok: true,
      peer: expected,
      issuer: 'O=Istio,CN=Intermediate CA,L=cluster1',
    });
  });

  test('another peer than expected is a failure that names both', async () => {
    const target = { host: '127.0.0.1', port: b.port, expect: 'spiffe://cluster.local/ns/demo/sa/c' };
    expect(await a.order('/handshake', target)).toMatchObject({
      ok: false,
      error: 'the peer is spiffe://cluster.local/ns/demo/sa/b, expected spiffe://cluster.local/ns/demo/sa/c',
    });
  });

  test('without a certificate nobody gets a line', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: b.port, rejectUnauthorized: false });
      let got = '';
      socket.on('data', (part) => {
        got += String(part);
      });
      socket.on('error', () => {}).on('close', () => resolve(got));
    });
    expect(text).toBe('');
  });

  test('a workload of strangers is refused on both sides', async () => {
    const other = await runningCa();
    const stranger = await workload(other, 'x');
    try {
      const target = { host: '127.0.0.1', port: b.port };
      expect(await stranger.order('/handshake', target)).toMatchObject({ ok: false });
      expect(await a.order('/handshake', { host: '127.0.0.1', port: stranger.port })).toMatchObject({
        ok: false,
        error: expect.stringMatching(/certificate/),
      });
    } finally {
      await stranger.close();
      await other.close();
    }
  });

  test('continuous handshakes go on over a renewal, none failing', async () => {
    await a.order('/peers?interval=5', [{ host: '127.0.0.1', port: b.port }]);
    await vi.waitFor(async () => expect((await a.order('/stats')).ok).toBeGreaterThan(5), 10_000);
    const before = await b.order('/stats');
    const renewed = await b.order('/renew', {});
    expect(renewed.certificate).not.toEqual(before.certificate);
    await a.order('/renew', {});
    const { ok } = (await a.order('/stats')) as { ok: number };
    await vi.waitFor(async () => expect((await a.order('/stats')).ok).toBeGreaterThan(ok + 5), 10_000);
    expect(await a.order('/stats')).toMatchObject({ failed: 0, reloads: 1 });
  });

  test('an order that is none is refused with the reason', async () => {
    expect(await a.order('/handshake', { host: '127.0.0.1' })).toMatchObject({
      ok: false,
      error: expect.stringContaining('at port'),
    });
    expect(await a.order('/nothing')).toEqual({ ok: false, error: 'GET /nothing is not served here' });
  });
});
