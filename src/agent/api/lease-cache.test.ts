import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestAgent, testAgent } from '../test-agent.ts';
import { type TestVault, testVault } from '../test-vault.ts';
import { type CacheAnswer, type CacheRequest, LeaseCache } from './lease-cache.ts';

describe('a listener with a cache', () => {
  let vault: TestVault;
  let agent: TestAgent;
  let url = '';
  let count = 0;
  beforeEach(async () => {
    vault = await testVault();
    count = 0;
    agent = await testAgent(() => vault.address);
    vault.answers['db/creds/app'] = async () => {
      count++;
      await new Promise((resolve) => setImmediate(resolve));
      const lease = { lease_id: `db/creds/app/${count}`, lease_duration: 3600, renewable: true };
      return { status: 200, body: { ...lease, data: { password: `p${count}` } } };
    };
    vault.answers['kv/plain'] = () => ({ status: 200, body: { lease_id: '', data: { n: ++count } } });
    vault.answers['auth/token/create'] = () => ({
      status: 200,
      body: {
        auth: { client_token: `child-${++count}`, accessor: 'acc', lease_duration: 3600, renewable: false },
      },
    });
    for (const path of ['sys/leases/revoke', 'auth/token/revoke', 'auth/token/revoke-self'])
      vault.answers[path] = () => ({ status: 204 });
    void agent.run(
      'cache { use_auto_auth_token = true }\nlistener "tcp" { address = "127.0.0.1:0" tls_disable = true }',
    );
    await agent.until(() => agent.log().includes('renewed auth token') && agent.log().includes('listening'));
    url = /listening: address=(\S+)/.exec(agent.log())?.[1] ?? '';
  });
  afterEach(async () => {
    await agent.remove();
    await vault.close();
  });

  async function ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ cache: string | null; age: string | null; body: string }> {
    const response = await fetch(`${url}/v1/${path}`, init);
    const { headers } = response;
    return { cache: headers.get('x-cache'), age: headers.get('age'), body: await response.text() };
  }
  const put = (body: object): RequestInit => ({ method: 'PUT', body: JSON.stringify(body) });

  test('gives the same credentials for the same question, and says so', async () => {
    const first = await ask('db/creds/app');
    expect([first.cache, first.age]).toEqual(['MISS', null]);
    expect(await ask('db/creds/app')).toEqual({ cache: 'HIT', age: '0', body: first.body });
    expect((await ask('db/creds/app', { headers: { 'X-Vault-Namespace': 'n' } })).cache).toBe('MISS');
  });

  test('asks the store once for identical questions that come together', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('db/creds/app')));
    expect(count).toBe(1);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter(({ cache }) => cache === 'MISS')).toHaveLength(1);
  });

  test('does not keep what has no lease, what is wrapped, or what a stranger asked for', async () => {
    expect((await ask('kv/plain')).body).not.toBe((await ask('kv/plain')).body);
    const wrapped = { headers: { 'X-Vault-Wrap-TTL': '60s' } };
    expect([(await ask('db/creds/app', wrapped)).cache, (await ask('db/creds/app', wrapped)).cache]).toEqual([
      'MISS',
      'MISS',
    ]);
    const stranger = { headers: { 'X-Vault-Token': 'stranger' } };
    expect([
      (await ask('db/creds/app', stranger)).cache,
      (await ask('db/creds/app', stranger)).cache,
    ]).toEqual(['MISS', 'MISS']);
  });

  test('forgets a lease that is revoked, also when its place in the request differs', async () => {
    await ask('db/creds/app');
    await ask('sys/leases/revoke', put({ lease_id: 'db/creds/app/1' }));
    expect(JSON.parse((await ask('db/creds/app')).body).data).toEqual({ password: 'p2' });
  });

  test('keeps a new token and what was asked for with it, until it is revoked', async () => {
    const child = JSON.parse((await ask('auth/token/create', put({}))).body).auth.client_token as string;
    expect((await ask('auth/token/create', put({}))).cache).toBe('HIT');
    const withChild = { headers: { 'X-Vault-Token': child } };
    await ask('db/creds/app', withChild);
    expect((await ask('db/creds/app', withChild)).cache).toBe('HIT');
    await ask('auth/token/revoke', put({ token: child }));
    expect((await ask('auth/token/create', put({}))).cache).toBe('MISS');
    expect((await ask('db/creds/app', withChild)).cache).toBe('MISS');
  });

  test.each([
    ['all', ''],
    ['lease', 'db/creds/app/1'],
    ['request_path', '/v1/db/creds'],
    ['token', 'token-1'],
  ])('cache-clear by %s forgets it', async (type, value) => {
    await ask('db/creds/app');
    const response = await fetch(`${url}/agent/v1/cache-clear`, put({ type, value }));
    expect(response.status).toBe(200);
    expect((await ask('db/creds/app')).cache).toBe('MISS');
  });

  test('cache-clear by token_accessor forgets the token of it and what that asked for', async () => {
    const child = JSON.parse((await ask('auth/token/create', put({}))).body).auth.client_token as string;
    const withChild = { headers: { 'X-Vault-Token': child } };
    await ask('db/creds/app', withChild);
    await ask('db/creds/app');
    const clear = (value: string) =>
      fetch(`${url}/agent/v1/cache-clear`, put({ type: 'token_accessor', value }));
    expect((await clear('another')).status).toBe(200);
    expect((await ask('db/creds/app', withChild)).cache).toBe('HIT');
    expect((await clear('acc')).status).toBe(200);
    expect((await ask('db/creds/app', withChild)).cache).toBe('MISS');
    expect((await ask('auth/token/create', put({}))).cache).toBe('MISS');
    expect((await ask('db/creds/app')).cache).toBe('HIT'); // that of the agent itself
  });

  test.each([
    'sys/leases/revoke-prefix/db/creds',
    'sys/revoke-prefix/db',
    'sys/leases/revoke-force/db/creds/app',
  ])('%s forgets what lies below, and nothing else', async (path) => {
    vault.answers[path] = () => ({ status: 204 });
    await ask('db/creds/app');
    await ask('auth/token/create', put({}));
    await ask(path.replace('db', 'other'), put({})); // not there, 404: nothing is revoked
    expect((await ask('db/creds/app')).cache).toBe('HIT');
    await ask(path, put({}));
    expect((await ask('db/creds/app')).cache).toBe('MISS');
    expect((await ask('auth/token/create', put({}))).cache).toBe('HIT');
  });

  test('cache-clear wants a value', async () => {
    const response = await fetch(`${url}/agent/v1/cache-clear`, put({ type: 'lease' }));
    expect([response.status, await response.json()]).toEqual([400, { errors: ['lease needs a value'] }]);
  });
});

describe('a kept lease', () => {
  const request: CacheRequest = {
    method: 'GET',
    url: '/v1/a',
    namespace: '',
    token: 't',
    body: Buffer.alloc(0),
  };
  const answer = (lease: object): CacheAnswer => ({
    status: 200,
    headers: {},
    body: Buffer.from(JSON.stringify(lease)),
  });

  /** A cache on a clock that goes on when it is told to. */
  function cacheWith(send: () => Promise<CacheAnswer>) {
    const wakes: (() => void)[] = [];
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      sleep: (ms: number) => {
        waits.push(ms);
        return new Promise<void>((resolve) => wakes.push(resolve));
      },
    };
    const cache = new LeaseCache({ clock, random: () => 0, ownToken: () => 't', send });
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    return {
      cache,
      waits,
      next: async () => {
        wakes.shift()?.();
        await settle();
      },
    };
  }

  test('is renewed at two thirds of its life and forgotten when it cannot be renewed any more', async () => {
    const answers = [
      answer({ lease_id: 'a/1', lease_duration: 60, renewable: true }),
      answer({ errors: [] }),
    ];
    const { cache, waits, next } = cacheWith(async () => answers.shift() as CacheAnswer);
    await cache.through(request, async () =>
      answer({ lease_id: 'a/1', lease_duration: 90, renewable: true }),
    );
    expect(waits.map(Math.round)).toEqual([63_000]);
    await next();
    expect(cache.size).toBe(1);
    await next();
    expect(cache.size).toBe(0);
  });

  test('that cannot be renewed is forgotten before its end', async () => {
    const { cache, waits, next } = cacheWith(() => Promise.reject(new Error('not asked')));
    await cache.through(request, async () =>
      answer({ lease_id: 'a/1', lease_duration: 100, renewable: false }),
    );
    expect(waits).toEqual([90_000]);
    await next();
    expect(cache.size).toBe(0);
  });
});
