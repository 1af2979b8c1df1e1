import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import type { KubeApi, WatchEvent } from './api.ts';
import { connect } from './connect.ts';

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

let server: Server;
let api: KubeApi;
let dir: string;
let handle: Handler;
const seen: string[] = [];
const sockets = new Set<unknown>();

beforeEach(async () => {
  seen.length = 0;
  sockets.clear();
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''}`.trim());
    sockets.add(request.socket);
    handle(request, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  dir = await mkdtemp(join(tmpdir(), 'kube-'));
  api = await connectAs({ token: 'T' });
});

afterEach(() => {
  api.close();
  server.closeAllConnections();
  server.close();
});

async function connectAs(user: object, connections?: number): Promise<KubeApi> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(dir, `${Math.random()}.json`);
  const file = {
    'current-context': 'c',
    clusters: [{ name: 'k', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(file));
  return await connect({ kubeconfig, env: {}, connections });
}

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const notFound = { kind: 'Status', reason: 'NotFound', message: 'not found', code: 404 };
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'n', resourceVersion: '3' } };

test('asks many things at once over no more connections than it may open', async () => {
  handle = (_request, _body, response) => json(response, 200, pod);
  const few = await connectAs({ token: 'T' }, 2);
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'n' };
  await Promise.all(Array.from({ length: 12 }, (_, i) => few.get({ ...ref, name: `p${i}` })));
  expect([seen.length, sockets.size]).toEqual([12, 2]);
  few.close();
});

test('what is not there is undefined to get and done to delete', async () => {
  handle = (_request, _body, response) => json(response, 404, notFound);
  expect(await api.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p' })).toBeUndefined();
  await api.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p' });
  expect(seen).toEqual([
    'GET /api/v1/namespaces/n/pods/p',
    'DELETE /api/v1/namespaces/n/pods/p application/json',
  ]);
});

test('each kind of write goes to its path with its content type, on one connection', async () => {
  handle = (_request, _body, response) => json(response, 200, pod);
  await api.create(pod);
  await api.create({ ...pod, kind: 'Pod' }, { subresource: 'binding' });
  await api.replace(pod, { subresource: 'status' });
  await api.patch({ apiVersion: 'v1', kind: 'Node', name: 'x' }, {}, 'strategic', { subresource: 'status' });
  expect(seen).toEqual([
    'POST /api/v1/namespaces/n/pods?fieldManager=meshroot application/json',
    'POST /api/v1/namespaces/n/pods/p/binding?fieldManager=meshroot application/json',
    'PUT /api/v1/namespaces/n/pods/p/status?fieldManager=meshroot application/json',
    'PATCH /api/v1/nodes/x/status?fieldManager=meshroot application/strategic-merge-patch+json',
  ]);
  expect(sockets.size).toBe(1);
});

test('a list follows its pages and fills in the kind', async () => {
  handle = (request, _body, response) => {
    const second = request.url?.includes('continue=next') === true;
    const metadata = second ? { resourceVersion: '9' } : { resourceVersion: '9', continue: 'next' };
    json(response, 200, { metadata, items: [{ metadata: { name: second ? 'b' : 'a' } }] });
  };
  const items = await api.list({ apiVersion: 'apps/v1', kind: 'Deployment' });
  expect(items.map((item) => `${item.kind} ${item.metadata.name}`)).toEqual(['Deployment a', 'Deployment b']);
});

test('an unknown kind is asked of discovery, once', async () => {
  handle = (request, _body, response) =>
    request.url === '/apis/example.com/v1'
      ? json(response, 200, { resources: [{ name: 'foos', kind: 'Foo', namespaced: true }] })
      : json(response, 404, notFound);
  const foo = { apiVersion: 'example.com/v1', kind: 'Foo', namespace: 'n', name: 'f' };
  await api.get(foo);
  await api.get(foo);
  const path = 'GET /apis/example.com/v1/namespaces/n/foos/f';
  expect(seen).toEqual(['GET /apis/example.com/v1', path, path]);
  await expect(api.get({ ...foo, kind: 'Bar' })).rejects.toMatchObject({ code: 'kube-unknown-kind' });
});

test('a watch lists, follows, and stops when told', async () => {
  const stop = new AbortController();
  const told: WatchEvent[] = [];
  handle = (request, _body, response) => {
    if (request.url?.includes('watch=true') !== true) {
      return json(response, 200, { metadata: { resourceVersion: '5' }, items: [] });
    }
    expect(request.url).toContain('resourceVersion=5');
    response.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`);
  };
  const done = api.watch(
    { apiVersion: 'v1', kind: 'Pod' },
    { fieldSelector: 'spec.nodeName=x' },
    (event) => {
      told.push(event);
      if (event.type === 'ADDED') stop.abort();
    },
    stop.signal,
  );
  await done;
  expect(told.map((event) => event.type)).toEqual(['SYNCED', 'ADDED']);
});

test('reviews and tokens are parsed', async () => {
  handle = (request, body, response) => {
    if (request.url?.endsWith('/token') === true) {
      expect(JSON.parse(body).spec.boundObjectRef).toEqual({
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'p',
        uid: 'u',
      });
      return json(response, 201, { status: { token: 'jwt', expirationTimestamp: '2030-01-01T00:00:00Z' } });
    }
    const user = { username: 'system:serviceaccount:n:s', groups: ['g'], extra: { k: ['v'] } };
    json(response, 201, { status: { authenticated: true, audiences: ['istio-ca'], user } });
  };
  const issued = await api.tokenRequest('n', 's', { boundPod: { name: 'p', uid: 'u' } });
  expect([issued.token.reveal(), issued.expiresAt]).toEqual(['jwt', Date.UTC(2030, 0, 1)]);
  expect(await api.tokenReview(new Secret('jwt'), ['istio-ca'])).toEqual({
    authenticated: true,
    username: 'system:serviceaccount:n:s',
    groups: ['g'],
    audiences: ['istio-ca'],
    extra: { k: ['v'] },
  });
});

test('a token file is read anew after the server refused its token', async () => {
  const tokenFile = join(dir, 'token');
  await writeFile(tokenFile, 'old\n');
  handle = (request, _body, response) =>
    request.headers.authorization === 'Bearer new'
      ? json(response, 200, { ok: true })
      : json(response, 401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized', code: 401 });
  const user = await connectAs({ tokenFile });
  await expect(user.request('GET', '/version')).rejects.toMatchObject({ code: 'kube-unauthorized' });
  await writeFile(tokenFile, 'new\n');
  expect(await user.request('GET', '/version')).toEqual({ ok: true });
  user.close();
});

test('an exec plugin that is not installed is named', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'no-such-plugin',
    interactiveMode: 'Never',
  };
  const user = await connectAs({ exec });
  await expect(user.request('GET', '/x')).rejects.toMatchObject({
    code: 'kube-credentials',
    message: expect.stringContaining('its credential plugin no-such-plugin is not on PATH'),
    hint: expect.stringContaining('auth whoami'),
  });
});

test('an exec plugin is run by client-node and its token used', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'from-plugin', expirationTimestamp: '2999-01-01T00:00:00Z' },
  };
  handle = (request, _body, response) => json(response, 200, { as: request.headers.authorization });
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`],
  };
  const user = await connectAs({ exec });
  // client-node refuses plain HTTP only without insecure-skip-tls-verify
  expect(await user.request('GET', '/x')).toEqual({ as: 'Bearer from-plugin' });
  user.close();
});

test('a log streams, and an unreachable server is named', async () => {
  handle = (request, _body, response) => response.end(`log of ${request.url}`);
  const chunks: Buffer[] = [];
  for await (const chunk of await api.podLog('n', 'p', { container: 'c', tailLines: 5 })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe(
    'log of /api/v1/namespaces/n/pods/p/log?container=c&tailLines=5',
  );
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(api.request('GET', '/version')).rejects.toMatchObject({
    code: 'kube-unreachable',
    message: expect.stringContaining(`no answer from the API server ${api.server}`),
  });
});
