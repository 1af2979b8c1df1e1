import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { silentLogger } from '../lib/log.ts';
import { createMetrics } from './metrics.ts';
import { selfMadeCertificate } from './self-made-certificate.ts';
import { defaultSettings } from './settings.ts';
import { createWebhook, drain, type Webhook, type WebhookOptions } from './webhook.ts';

const settings = { ...defaultSettings, vaultAddress: 'https://vault:8200' };
let app: Webhook;
let ca: string;

async function webhook(more: Partial<WebhookOptions> = {}): Promise<Webhook> {
  const source = await selfMadeCertificate(['localhost', '127.0.0.1'], systemClock, silentLogger);
  ca = source.caBundle ?? '';
  const tls = { cert: source.current.certificate, key: source.current.key.reveal() };
  return createWebhook({
    settings,
    metrics: createMetrics(),
    telemetryPath: '/metrics',
    tls,
    clock: systemClock,
    log: silentLogger,
    ...more,
  });
}

beforeAll(async () => {
  app = await webhook();
  await app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => app.close());

interface Answer {
  readonly status: number;
  readonly text: string;
}

function call(method: string, path: string, body?: string | Buffer, type?: string): Promise<Answer> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const request = httpsRequest({ host: '127.0.0.1', port, path, method, ca, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const json = 'application/json';
const review = JSON.stringify({ request: { uid: 'u', namespace: 'demo', object: { metadata: {} } } });
const refusedReview = JSON.stringify({
  request: {
    uid: 'u',
    namespace: 'kube-system',
    object: { metadata: { annotations: { 'vault.hashicorp.com/agent-inject': 'yes' } } },
  },
});

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const injectedReview = JSON.stringify({
  request: {
    uid: 'u',
    namespace: 'shop',
    object: {
      metadata: {
        annotations: { 'vault.hashicorp.com/agent-inject': 'true', 'vault.hashicorp.com/role': 'r' },
      },
      spec: { containers: [{ name: 'a', volumeMounts: [{ name: 't', mountPath }] }] },
    },
  },
});

describe('the webhook over TLS', () => {
  test('answers a review', async () => {
    const { status, text } = await call('POST', '/mutate', review, json);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      response: { uid: 'u', allowed: true },
    });
  });

  test.each([
    [
      'a content type with a charset',
      'POST',
      '/mutate',
      review,
      'application/json; charset=utf-8',
      200,
      /"allowed":true/,
    ],
    [
      'another content type',
      'POST',
      '/mutate',
      review,
      'text/plain',
      400,
      /^Invalid content-type: "text\/plain"\n$/,
    ],
    ['no content type', 'POST', '/mutate', review, undefined, 400, /^Invalid content-type: ""\n$/],
    ['a content type that is none', 'POST', '/mutate', review, '!!', 400, /^Invalid content-type: "!!"\n$/],
    ['an empty body', 'POST', '/mutate', '', json, 400, /^Empty request body\n$/],
    [
      'no JSON',
      'POST',
      '/mutate',
      'secret?',
      json,
      500,
      /^error decoding admission request: Unexpected token 's'\n$/,
    ],
    [
      'no request in it',
      'POST',
      '/mutate',
      '{}',
      json,
      400,
      /^error decoding admission request: request is missing\n$/,
    ],
    ['another path', 'POST', '/other', review, json, 404, /^404 page not found\n$/],
    ['another method', 'GET', '/mutate', undefined, undefined, 404, /^404 page not found\n$/],
    ['readiness', 'GET', '/health/ready', undefined, undefined, 204, /^$/],
  ])('%s', async (_, method, path, body, type, status, text) => {
    const answer = await call(method, path, body, type);
    expect(answer).toEqual({ status, text: expect.stringMatching(text) });
  });

  test('takes a review of two objects at the limit of the API server, and refuses what is beyond any', async () => {
    const big = (mebibytes: number): string =>
      review.replace('"uid"', `"pad":"${'x'.repeat(mebibytes * 1024 * 1024)}","uid"`);
    expect((await call('POST', '/mutate', big(7), json)).status).toBe(200);
    // the connection may be cut before the whole of it is sent
    const answer = await call('POST', '/mutate', big(9), json).catch(() => ({ status: 413, text: '' }));
    expect(answer.status).toBe(413);
    expect((await call('POST', '/mutate', review, json)).status).toBe(200);
  });

  test('brackets without an end do not take it down', async () => {
    expect((await call('POST', '/mutate', '['.repeat(2_000_000), json)).status).toBe(500);
    expect((await call('POST', '/mutate', review, json)).status).toBe(200);
  });

  test('no bytes at all take it down', async () => {
    const body = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map(Buffer.from),
      fc.jsonValue().map((object) => Buffer.from(JSON.stringify({ request: { uid: 'u', object } }))),
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        expect([200, 400, 500]).toContain((await call('POST', '/mutate', bytes, json)).status);
      }),
      { numRuns: 60 },
    );
    expect((await call('GET', '/health/ready')).status).toBe(204);
  });

  test("counts under vault-k8s's names", async () => {
    await call('POST', '/mutate', refusedReview, json);
    await call('POST', '/mutate', injectedReview, json);
    const { text } = await call('GET', '/metrics');
    expect(text).toMatch(
      /vault_agent_injector_failed_injections_by_namespace_total\{namespace="kube-system"\} \d/,
    );
    expect(text).toContain(
      'vault_agent_injector_injections_by_namespace_total{namespace="shop",injection_type="init_and_sidecar"} 1',
    );
    expect(text).toMatch(/vault_agent_injector_request_queue_length 0/);
    expect(text).toMatch(/vault_agent_injector_request_processing_duration_ms_bucket\{le="10000"\}/);
  });

  describe('with ConfigMaps', () => {
    const configMaps = { ...settings, configMaps: true };
    const asking = injectedReview.replace('"vault.hashicorp.com/role"', '"meshroot.io/config-map":"true",$&');
    const written: string[] = [];
    const answerOf = async (body: string, writeConfigMap?: () => Promise<void>) => {
      const own = await webhook({ settings: configMaps, writeConfigMap });
      const before = app;
      app = own;
      try {
        await own.listen({ port: 0, host: '127.0.0.1' });
        const { response } = JSON.parse((await call('POST', '/mutate', body, json)).text);
        return { response, metrics: (await call('GET', '/metrics')).text };
      } finally {
        app = before;
        await drain(own, systemClock, 0);
      }
    };
    const write = async (): Promise<void> => {
      written.push('written');
    };

    test('the pod is admitted once its ConfigMap is there, and a dry run writes nothing', async () => {
      expect((await answerOf(asking, write)).response).toMatchObject({
        allowed: true,
        patchType: 'JSONPatch',
      });
      expect(written.splice(0)).toEqual(['written']);
      const dry = asking.replace('"uid"', '"dryRun":true,"uid"');
      expect((await answerOf(dry, write)).response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
      expect((await answerOf(injectedReview, write)).response).toMatchObject({ allowed: true });
      expect(written).toEqual([]);
    });

    test('a ConfigMap that cannot be written refuses the pod, which is counted as refused', async () => {
      const hint = 'mend it';
      const failed = await answerOf(asking, () =>
        Promise.reject(new MeshrootError('config-map-write', 'ConfigMap shop/x cannot be written', { hint })),
      );
      expect(failed.response).toEqual({
        uid: 'u',
        allowed: false,
        status: { metadata: {}, message: 'ConfigMap shop/x cannot be written (mend it)' },
      });
      expect(failed.metrics).toContain('failed_injections_by_namespace_total{namespace="shop"} 1');
      expect(failed.metrics).not.toContain('injection_type');
      expect((await answerOf(asking)).response.status.message).toContain(
        'has no cluster to write ConfigMaps to',
      );
    });
  });

  test('a client that trusts another CA does not talk to it', async () => {
    const mine = ca;
    ca = (await selfMadeCertificate(['127.0.0.1'], systemClock, silentLogger)).caBundle ?? '';
    await expect(call('GET', '/health/ready')).rejects.toThrow(/certificate|self-signed/);
    ca = mine;
  });

  test('drains: what is under way is answered before it closes', async () => {
    const own = await webhook();
    await own.listen({ port: 0, host: '127.0.0.1' });
    const { port } = own.server.address() as AddressInfo;
    const answer = new Promise<number>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          path: '/mutate',
          method: 'POST',
          ca,
          headers: { 'content-type': json, 'content-length': review.length },
        },
        (response) => resolve(response.resume().statusCode ?? 0),
      );
      request.on('error', reject);
      own.server.once('request', () => {
        void drain(own, systemClock).then(() => closed.push('closed'));
        request.end(review.slice(5));
      });
      request.write(review.slice(0, 5));
    });
    const closed: string[] = [];
    expect(await answer).toBe(200);
  });
});
