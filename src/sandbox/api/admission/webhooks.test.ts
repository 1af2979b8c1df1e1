import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Issuer } from '../../../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../../../x509/keys.ts';
import { createRoot } from '../../../x509/templates/root.ts';
import { issueServing } from '../../../x509/templates/serving.ts';
import { dig, pod, type TestApi, testApi } from '../../test-api.ts';
import type { Fields } from '../fields.ts';

type Answer = (request: Record<string, unknown>) => Fields | string;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function newIssuer(): Promise<Issuer> {
  const key = await generateKeyPair('ec-p256');
  const now = Date.now() - 60_000;
  return { certificate: await createRoot({ key, ttl: 3_600_000, now }), privateKey: key.privateKey };
}

/** A webhook on a free port with a certificate for `dns`; answers what `answer` says, text is a broken answer. */
async function startHook(answer: Answer, dns = 'hook.demo.svc'): Promise<{ port: number; caBundle: string }> {
  const issuer = await newIssuer();
  const key = await generateKeyPair('ec-p256');
  const { publicKey } = key;
  const now = Date.now();
  const certificate = await issueServing({ issuer, publicKey, dns: [dns], ttl: 60_000, now });
  const server = createServer(
    { cert: certificate.pem, key: privateKeyPem(key.privateKey).reveal() },
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as {
        request: Record<string, unknown>;
      };
      const said = answer(asked);
      if (typeof said === 'string') return response.writeHead(500).end(said);
      const review = {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: asked.uid, ...said },
      };
      return response.end(JSON.stringify(review));
    },
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, caBundle: Buffer.from(issuer.certificate.pem).toString('base64') };
}

const patchOf = (...operations: unknown[]): Fields => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

async function register(
  t: TestApi,
  caBundle: string,
  more: Fields = {},
  kind = 'Mutating',
  name = 'hook',
): Promise<void> {
  await t.api.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { service: { namespace: 'demo', name: 'hook', path: '/mutate' }, caBundle },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 1,
        ...more,
      },
    ],
  });
}

async function setUp(answer: Answer, more: Fields = {}, dns?: string, kind?: string): Promise<TestApi> {
  const { port, caBundle } = await startHook(answer, dns);
  const t = await testApi({ resolveService: () => ({ host: '127.0.0.1', port }) });
  await register(t, caBundle, more, kind);
  return t;
}

const refusal = async (t: TestApi, made = pod('p')): Promise<{ code: number; message: string }> => {
  const error = await t.api.create(made).catch((e: unknown) => e);
  return { code: dig(error, 'code') as number, message: dig(error, 'message') as string };
};

describe('a mutating webhook', () => {
  test('sees the pod with its token volume and changes it', async () => {
    let seen: Record<string, unknown> = {};
    const t = await setUp((request) => {
      seen = request;
      return patchOf({
        op: 'add',
        path: '/spec/initContainers',
        value: [{ name: 'first', image: 'example/i:1' }],
      });
    });
    const made = await t.api.create(pod('p'));
    expect(seen).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'demo',
      name: 'p',
      operation: 'CREATE',
      dryRun: false,
      oldObject: null,
      userInfo: { username: 'system:apiserver' },
    });
    expect(dig(seen, 'object.spec.volumes.0.projected')).toBeDefined();
    // what the webhook adds gets defaults and the token too
    const first = dig(made, 'spec.initContainers.0');
    expect(first).toMatchObject({ name: 'first', imagePullPolicy: 'IfNotPresent' });
    expect(dig(first, 'volumeMounts.0.mountPath')).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
  });
  test('denies in its own words', async () => {
    const t = await setUp(() => ({
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'no role' },
    }));
    expect(await refusal(t)).toEqual({
      code: 403,
      message: 'admission webhook "hook.example.com" denied the request: no role',
    });
  });
  test('denies without words', async () => {
    const t = await setUp(() => ({ allowed: false }));
    expect(await refusal(t)).toEqual({
      code: 400,
      message: 'admission webhook "hook.example.com" denied the request without explanation',
    });
  });
  test('is asked once more when a later one changed the pod, if it wants', async () => {
    const calls: string[] = [];
    const answer: Answer = () => {
      calls.push('first');
      return { allowed: true };
    };
    const t = await setUp(answer, { reinvocationPolicy: 'IfNeeded' });
    const other = await startHook(() => {
      calls.push('second');
      return patchOf({ op: 'add', path: '/metadata/labels', value: { a: 'b' } });
    }, 'localhost');
    const clientConfig = { url: `https://localhost:${other.port}/`, caBundle: other.caBundle };
    await register(t, other.caBundle, { clientConfig }, 'Mutating', 'later');
    expect((await t.api.create(pod('p'))).metadata.labels).toEqual({ a: 'b' });
    expect(calls).toEqual(['first', 'second', 'first']);
  });
});

describe('a webhook is asked only', () => {
  const deny: Answer = () => ({ allowed: false });
  test.each([
    ['in namespaces of its selector', { namespaceSelector: { matchLabels: { inject: 'yes' } } }],
    ['for objects of its selector', { objectSelector: { matchLabels: { inject: 'yes' } } }],
    [
      'for its operations',
      { rules: [{ operations: ['DELETE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] },
    ],
    [
      'for its resources',
      {
        rules: [
          { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['secrets', 'pods/status'] },
        ],
      },
    ],
  ])('%s', async (_, more) => {
    const t = await setUp(deny, more);
    expect((await t.api.create(pod('p'))).metadata.name).toBe('p');
  });
});

describe('a webhook that cannot be asked', () => {
  const prefix =
    'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: ';
  const url = 'Post "https://hook.demo.svc:443/mutate?timeout=1s": ';
  test('refuses the pod when nobody listens', async () => {
    const t = await testApi({ resolveService: () => ({ host: '127.0.0.1', port: 1 }) });
    await register(t, '');
    expect(await refusal(t)).toEqual({
      code: 500,
      message: `${prefix}${url}dial tcp 127.0.0.1:1: connect: connection refused`,
    });
  });
  test('refuses the pod when its certificate is for another name or by another CA', async () => {
    const named = await setUp(() => ({ allowed: true }), {}, 'other.demo.svc');
    expect((await refusal(named)).message).toContain(
      `${url}tls: failed to verify certificate: x509: certificate is not valid for hook.demo.svc`,
    );
    const { port } = await startHook(() => ({ allowed: true }));
    const foreign = await testApi({ resolveService: () => ({ host: '127.0.0.1', port }) });
    await register(foreign, Buffer.from((await newIssuer()).certificate.pem).toString('base64'));
    expect((await refusal(foreign)).message).toBe(
      `${prefix}${url}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    );
  });
  test('refuses the pod when it answers nonsense', async () => {
    const broken = await setUp(() => 'boom');
    expect((await refusal(broken)).message).toContain(
      'an error on the server ("boom") has prevented the request from succeeding',
    );
    const wrongUid = await setUp(() => ({ uid: 'other', allowed: true }));
    expect((await refusal(wrongUid)).message).toContain(
      'received invalid webhook response: expected response.uid=',
    );
    const badPatch = await setUp(() => patchOf({ op: 'remove', path: '/spec/none' }));
    expect(await refusal(badPatch)).toMatchObject({ code: 500 });
  });
  test('is passed over with failurePolicy Ignore', async () => {
    const t = await testApi({ resolveService: () => undefined });
    await register(t, '', { failurePolicy: 'Ignore' });
    expect((await t.api.create(pod('p'))).metadata.name).toBe('p');
  });
});

describe('a validating webhook', () => {
  test('sees the result and denies', async () => {
    const answer: Answer = (request) => ({
      allowed: dig(request, 'object.spec.serviceAccountName') !== 'default',
      status: { message: 'not as default' },
    });
    const t = await setUp(answer, {}, undefined, 'Validating');
    expect((await refusal(t)).message).toBe(
      'admission webhook "hook.example.com" denied the request: not as default',
    );
  });
});
