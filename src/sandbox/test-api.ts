import type { Clock } from '../lib/clock.ts';
import { generateKeyPair } from '../x509/keys.ts';
import type { ServiceResolver } from './api/admission/webhook-call.ts';
import { ApiServer } from './api/api-server.ts';
import { bootstrapPolicy } from './api/bootstrap-policy.ts';
import type { ApiReply } from './api/exchange.ts';
import type { ApiObject, Fields } from './api/fields.ts';
import { LocalApi } from './api/local-api.ts';
import { Rbac } from './api/rbac.ts';
import { ServiceAccountTokens } from './api/service-account-tokens.ts';
import { MemoryStore } from './api/store.ts';
import { loopback, type UserInfo } from './api/user.ts';

export interface TestApi {
  readonly server: ApiServer;
  readonly store: MemoryStore;
  readonly tokens: ServiceAccountTokens;
  readonly api: LocalApi;
  readonly clock: Clock & { advance(ms: number): void };
  as(user: UserInfo): LocalApi;
  /** A request with a header of its own, without credentials unless given. */
  send(method: string, path: string, o?: SendOptions): Promise<ApiReply>;
}

export interface SendOptions {
  readonly user?: UserInfo;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** An API server without a socket, with frozen time, a namespace `demo` and its service account `default`. */
export async function testApi(
  o: { resolveService?: ServiceResolver; logLength?: number } = {},
): Promise<TestApi> {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const clock = {
    now: () => now,
    sleep: async () => {},
    advance: (ms: number) => {
      now += ms;
    },
  };
  const store = new MemoryStore(o.logLength);
  const key = (await generateKeyPair('ec-p256')).privateKey;
  const tokens = new ServiceAccountTokens({ store, clock, key });
  const resolveService = o.resolveService ?? (() => undefined);
  const around = { store, clock, tokens, rbac: new Rbac(store), resolveService, kubelet: undefined };
  const server = new ApiServer(around, () => 'https://example/openid/v1/jwks');
  const api = new LocalApi(server);
  for (const object of bootstrapPolicy()) await api.create(object);
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
  await api.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'demo' },
  });
  const send = (method: string, path: string, s: SendOptions = {}): Promise<ApiReply> =>
    server.handle({
      method,
      path,
      query: new URLSearchParams(s.query ?? {}),
      headers: s.headers ?? {},
      body: s.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(s.body)),
      ...(s.user === undefined ? {} : { user: s.user }),
      signal: s.signal ?? new AbortController().signal,
    });
  return { server, store, tokens, api, clock, as: (user) => new LocalApi(server, user), send };
}

export const admin = loopback;

export function pod(name: string, more: Fields = {}): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'demo' },
    spec: { containers: [{ name: 'c', image: 'example/c:1' }] },
    ...more,
  };
}

export const configMap = (name: string, data: Record<string, string> = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'demo' },
  data,
});

/** What lies at a path such as `metadata.name` or `items.0.spec`, or undefined. */
export function dig(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => {
    return typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }, value);
}
