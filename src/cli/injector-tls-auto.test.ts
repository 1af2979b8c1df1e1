import { mkdtemp, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webhookConfiguration } from '../injector/registration.ts';
import { selfMadeCertificate } from '../injector/self-made-certificate.ts';
import { systemClock } from '../lib/clock.ts';
import { applyPatch, parsePatch } from '../lib/json-patch.ts';
import { silentLogger } from '../lib/log.ts';
import { run } from './main.ts';

/** As much of an API server as the injector asks for: one webhook configuration with get, list, watch and JSON patch. */
class OneObjectServer {
  object = webhookConfiguration({ name: 'cfg', namespace: 'vault' });
  readonly server: Server;
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'https://x');
    response.setHeader('content-type', 'application/json');
    if (request.method === 'PATCH') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.set(applyPatch(this.object, parsePatch(JSON.parse(Buffer.concat(chunks).toString()))));
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
