import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Answer {
  readonly authenticated: boolean;
  readonly user?: { readonly username: string; readonly groups: readonly string[] };
  readonly audiences?: readonly string[];
}

/**
 * As much of an API server as a CA asks for: TokenReview for tokens `good:<ns>:<sa>`, two namespaces, ConfigMaps. `hang`
 * makes reviews wait for ever, `down` closes it.
 */
export async function tokenReviewApi() {
  const maps = new Map<string, { data: Record<string, string> }>();
  const state = { hang: false, reviews: 0 };
  const json = (response: ServerResponse, body: unknown, code = 200) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const namespaces = ['default', 'demo'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, uid: name, resourceVersion: '1' },
  }));
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://api');
    const body = request.method === 'GET' ? '' : await text(request);
    if (url.pathname.endsWith('/tokenreviews')) {
      state.reviews += 1;
      if (state.hang) return;
      const { spec } = JSON.parse(body) as { spec: { token: string; audiences: string[] } };
      return void json(
        response,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status: review(spec) },
        201,
      );
    }
    if (url.searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return;
    }
    const [, namespace, name] =
      /^\/api\/v1\/namespaces\/([^/]+)\/configmaps(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (namespace === undefined) {
      const items = url.pathname === '/api/v1/namespaces' ? namespaces : [];
      return void json(response, {
        kind: 'List',
        apiVersion: 'v1',
        metadata: { resourceVersion: '5' },
        items,
      });
    }
    if (request.method === 'GET') {
      const found = maps.get(`${namespace}/${name}`);
      const missing = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'NotFound',
        code: 404,
        message: 'no',
      };
      return void (found === undefined ? json(response, missing, 404) : json(response, found));
    }
    const sent = JSON.parse(body) as { metadata: { name?: string }; data: Record<string, string> };
    maps.set(`${namespace}/${name ?? sent.metadata.name}`, sent);
    json(response, sent, request.method === 'POST' ? 201 : 200);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    state,
    root: (namespace: string) => maps.get(`${namespace}/istio-ca-root-cert`)?.data['root-cert.pem'],
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: address } }],
      users: [{ name: 'u', user: { token: 'x' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function review({ token, audiences }: { token: string; audiences: string[] }): Answer {
  const [, namespace, account, audience = 'istio-ca'] =
    /^good:([^:]+):([^:]+)(?::([^:]+))?$/.exec(token) ?? [];
  if (namespace === undefined || !audiences.includes(audience)) return { authenticated: false };
  const user = {
    username: `system:serviceaccount:${namespace}:${account}`,
    groups: ['system:serviceaccounts'],
  };
  return { authenticated: true, user, audiences: [audience] };
}
