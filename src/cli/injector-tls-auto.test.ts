import { mkdtemp, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webhookConfiguration } from '../injector/registration.ts';
import { selfMadeCertificate } from '../injector/self-made-certificate.ts';
import { systemClock } from '../lib/clock.ts';
import { applyPatch, parsePatch } from '../lib/json-patch.ts';
import { silentLogger } from '../lib/log.ts';
import { generateKeyPair } from '../x509/keys.ts';
import { createRoot } from '../x509/templates/root.ts';
import { run } from './main.ts';

/** As much of an API server as the injector asks for: one webhook configuration with get, list, watch and JSON patch. */
class OneObjectServer {
  object = webhookConfiguration({ name: 'cfg', namespace: 'vault' });
  readonly server: Server;
  /** The spec of the one Lease; undefined: there is none. */
  lease: Record<string, unknown> | undefined;
  #version = 1;
  #watchers: ServerResponse[] = [];
  #patched: (() => void)[] = [];

  constructor(key: string, cert: string) {
    this.server = createServer({ key, cert }, (request, response) => void this.#answer(request, response));
  }

  nextPatch(): Promise<void> {
    return new Promise((resolve) => this.#patched.push(resolve));
  }

  set(object: unknown): void {
    this.object = object as typeof this.object;
    this.object.metadata.resourceVersion = `${++this.#version}`;
    for (const watcher of this.#watchers) {
      watcher.write(`${JSON.stringify({ type: 'MODIFIED', object: this.object })}\n`);
    }
  }

  caBundle(): string {
    const [webhook] = this.object.webhooks as { clientConfig: { caBundle?: string } }[];
    return Buffer.from(webhook?.clientConfig.caBundle ?? '', 'base64').toString();
  }

  async #answerLease(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET')
      this.lease = ((await json(request)) as { spec: Record<string, unknown> }).spec;
    const metadata = { name: 'cfg-leader', namespace: 'vault', resourceVersion: '1' };
    const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    if (this.lease === undefined) response.writeHead(404).end('{"kind":"Status","code":404}');
    else response.end(JSON.stringify({ ...kind, metadata, spec: this.lease }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'https://x');
    response.setHeader('content-type', 'application/json');
    if (url.pathname.includes('/leases')) return this.#answerLease(request, response);
    if (request.method === 'PATCH') {
      this.set(applyPatch(this.object, parsePatch(await json(request))));
      response.end(JSON.stringify(this.object));
      this.#patched.shift()?.();
    } else if (url.searchParams.get('watch') !== null) {
      this.#watchers.push(response);
      response.flushHeaders();
    } else if (url.pathname.endsWith('/cfg')) response.end(JSON.stringify(this.object));
    else {
      const metadata = { resourceVersion: `${this.#version}` };
      const kind = 'MutatingWebhookConfigurationList';
      response.end(
        JSON.stringify({ apiVersion: this.object.apiVersion, kind, metadata, items: [this.object] }),
      );
    }
  }
}

/** The configuration with a CA of a replica that ended a long time ago. */
async function withEndedCa(): Promise<{ readonly configuration: object; readonly ended: string }> {
  const [ttl, now] = [60_000, 1_600_000_000_000];
  const subject = [{ type: 'CN', value: 'meshroot injector CA' }] as const;
  const { pem: ended } = await createRoot({ key: await generateKeyPair('ec-p256'), subject, ttl, now });
  const made = webhookConfiguration({ name: 'cfg', namespace: 'vault' });
  const webhooks = made.webhooks as { clientConfig: { caBundle?: string } }[];
  for (const { clientConfig } of webhooks) clientConfig.caBundle = Buffer.from(ended).toString('base64');
  return { configuration: made, ended };
}

describe('meshroot injector -tls-auto', () => {
  let cluster: OneObjectServer;
  let kubeconfig: string;

  beforeAll(async () => {
    const made = await selfMadeCertificate(['127.0.0.1'], systemClock, silentLogger);
    cluster = new OneObjectServer(made.current.key.reveal(), made.current.certificate);
    await new Promise<void>((resolve) => cluster.server.listen(0, '127.0.0.1', resolve));
    const { port } = cluster.server.address() as AddressInfo;
    kubeconfig = join(await mkdtemp(join(tmpdir(), 'injector-')), 'kubeconfig');
    const ca = Buffer.from(made.caBundle ?? '').toString('base64');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [
        { name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': ca } },
      ],
      users: [{ name: 'u', user: { token: 't' } }],
    };
    await writeFile(kubeconfig, JSON.stringify(config));
  });
  afterAll(() => {
    cluster.server.closeAllConnections();
    cluster.server.close();
  });

  test('serves with what its caBundle says, and heals the caBundle when somebody resets it', async () => {
    const stop = new AbortController();
    const stderr = new PassThrough();
    const port = new Promise<number>((resolve) => {
      stderr.on('data', (chunk) => {
        const found = /Listening on "127.0.0.1:(\d+)"/.exec(String(chunk))?.[1];
        if (found !== undefined) resolve(Number(found));
      });
    });
    const first = cluster.nextPatch();
    const ended = run(
      [
        'injector',
        '-vault-address=http://vault:8200',
        '-listen=127.0.0.1:0',
        '-tls-auto=cfg',
        '-tls-auto-hosts=injector.vault.svc',
        `--kubeconfig=${kubeconfig}`,
      ],
      { stdout: new PassThrough(), stderr, env: {}, signal: stop.signal, exitCode: 0 },
    );
    await first;
    expect(await ready(await port, cluster.caBundle())).toBe(204);
    const second = cluster.nextPatch();
    cluster.set(webhookConfiguration({ name: 'cfg', namespace: 'vault' }));
    await second;
    expect(await ready(await port, cluster.caBundle())).toBe(204);
    stop.abort();
    expect(await ended).toBe(0);
  });

  test('-use-leader-elector: only the holder of the Lease takes the CAs of others out', async () => {
    const stop = new AbortController();
    const { configuration, ended: old } = await withEndedCa();
    cluster.set(configuration);
    cluster.lease = { holderIdentity: 'another', renewTime: 'now' };
    const joined = cluster.nextPatch();
    const stopped = run(
      [
        'injector',
        '-vault-address=http://vault:8200',
        '-listen=127.0.0.1:0',
        '-tls-auto=cfg',
        '-tls-auto-hosts=injector.vault.svc',
        '-use-leader-elector=true',
        `--kubeconfig=${kubeconfig}`,
      ],
      {
        stdout: new PassThrough(),
        stderr: new PassThrough().resume(),
        env: { NAMESPACE: 'vault', POD_NAME: 'this' },
        signal: stop.signal,
        exitCode: 0,
      },
    );
    await joined;
    expect(cluster.caBundle().startsWith(old)).toBe(true);
    const led = cluster.nextPatch();
    cluster.lease = { holderIdentity: '' };
    await led;
    expect(cluster.caBundle()).not.toContain(old);
    expect(cluster.lease).toMatchObject({ holderIdentity: 'this' });
    stop.abort();
    expect(await stopped).toBe(0);
    expect(cluster.lease).toMatchObject({ holderIdentity: '' });
  });
});

/** As the API server calls it: by the name of the Service, trusting the caBundle alone. */
function ready(port: number, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      servername: 'injector.vault.svc',
      port,
      path: '/health/ready',
      ca,
      agent: false as const,
    };
    httpsRequest(options, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
}
