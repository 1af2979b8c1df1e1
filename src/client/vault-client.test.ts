import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../lib/secret.ts';
import { VaultClient, type VaultClientOptions } from './vault-client.ts';
import { VaultError } from './vault-error.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const envelope = {
  request_id: 'r',
  lease_id: '',
  renewable: false,
  lease_duration: 10,
  data: { a: 'b' },
  wrap_info: null,
  warnings: null,
  auth: null,
};

describe('VaultClient', () => {
  let server: Server | undefined;
  const seen: Seen[] = [];
  const slept: number[] = [];

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
    seen.length = 0;
    slept.length = 0;
  });

  /** A stand-in that gives `answers` in turn, the last one for ever. */
  async function client(
    answers: readonly (readonly [number, unknown])[],
    options: Partial<VaultClientOptions> = {},
  ): Promise<VaultClient> {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method = '', url = '', headers } = request;
      const [status, answer] = answers[Math.min(seen.length, answers.length - 1)] ?? [500, undefined];
      seen.push({ method, url, headers, body });
      response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clock = {
      now: () => 0,
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };
    return new VaultClient({ address: `http://127.0.0.1:${port}`, clock, ...options });
  }

  const failureOf = async (work: Promise<unknown>): Promise<VaultError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(VaultError);
    return error as VaultError;
  };

  test('reads with token, namespace and the marker against request forgery', async () => {
    const vault = await client([[200, envelope]], { token: new Secret('t'), namespace: 'ns' });
    expect(await vault.read('secret/a b')).toEqual(envelope);
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/v1/secret/a%20b',
      headers: { 'x-vault-token': 't', 'x-vault-namespace': 'ns', 'x-vault-request': 'true' },
    });
  });

  test('a 404 without a text is nothing to read and an empty list', async () => {
    const vault = await client([[404, { errors: [] }]]);
    expect(await vault.read('secret/none')).toBeUndefined();
    expect(await vault.list('secret')).toEqual([]);
    expect(seen[1]?.url).toBe('/v1/secret?list=true');
  });

  test('a 404 with a text is an error', async () => {
    const vault = await client([[404, { errors: ['no handler for route'] }]]);
    const error = await failureOf(vault.read('nosuch/x'));
    expect(error).toMatchObject({ code: 'vault-not-found', status: 404, path: 'nosuch/x' });
    expect(error.message).toBe('vault answered 404 to GET nosuch/x: no handler for route');
  });

  test('writes JSON and gives undefined for 204', async () => {
    const vault = await client([[204, '']]);
    expect(await vault.write('secret/a', { k: 1 })).toBeUndefined();
    expect(seen[0]).toMatchObject({ method: 'PUT', body: '{"k":1}' });
  });

  test('a denial keeps the texts of the server and says it in one line', async () => {
    const vault = await client([[403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] }]]);
    const error = await failureOf(vault.write('secret/a'));
    expect(error).toMatchObject({ code: 'vault-denied', status: 403, exit: 1, method: 'PUT' });
    expect(error.errors).toEqual(['1 error occurred:\n\t* permission denied\n\n']);
    expect(error.message).toBe('vault answered 403 to PUT secret/a: permission denied');
  });

  test('asks again after a server error, twice at most, and not after 501', async () => {
    const vault = await client([
      [500, {}],
      [503, {}],
      [200, envelope],
    ]);
    expect((await vault.read('x'))?.data).toEqual({ a: 'b' });
    expect(slept).toEqual([250, 500]);
    const other = await client([[501, {}]]);
    expect((await failureOf(other.read('x'))).status).toBe(501);
  });

  test('a server without TLS that is asked with TLS is told from one that is away', async () => {
    const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new VaultClient({ address: `https://127.0.0.1:${port}`, retries: 0 });
    const error = await client.read('x').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ hint: 'it answers without TLS: is the address to begin with http:// ?' });
    client.close();
    server.close();
  });

  test('a server that is not there is unreachable, with the address', async () => {
    const vault = await client([[200, {}]], { retries: 0 });
    await new Promise((resolve) => server?.close(resolve));
    const error = await failureOf(vault.read('x'));
    expect(error).toMatchObject({ code: 'vault-unreachable', status: undefined, exit: 2 });
    expect(error.message).toMatch(/^no answer from the vault at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/);
  });

  test('bare answers such as sys/health appear as data, PEM as text', async () => {
    const vault = await client([
      [200, { initialized: true }],
      [200, '-----BEGIN'],
    ]);
    expect((await vault.read('sys/init'))?.data).toEqual({ initialized: true });
    expect(await vault.request('GET', 'pki/ca/pem')).toEqual({ status: 200, body: '-----BEGIN' });
  });

  test('withToken changes the token only for the new client', async () => {
    const vault = await client([[200, envelope]]);
    await vault.withToken(new Secret('second')).read('a');
    await vault.read('a');
    expect(seen.map(({ headers }) => headers['x-vault-token'])).toEqual(['second', undefined]);
  });

  test('an address that is none is refused at once', () => {
    expect(() => new VaultClient({ address: 'vault:8200' })).toThrow(
      'is neither an http nor an https address',
    );
    expect(() => new VaultClient({ address: 'nonsense' })).toThrow('"nonsense" is not an address');
  });

  test('waits, but not for ever, for a kv mount that is being made ready', async () => {
    const text =
      'Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.';
    const busy = [400, { errors: [text] }] as const;
    const patient = await client([busy, busy, busy, [200, envelope]], { retries: 0 });
    expect(await patient.write('secret/data/x', { data: {} })).toMatchObject({ data: { a: 'b' } });
    expect(slept).toEqual([250, 500, 1000]);
  });

  test('gives up on a kv mount that is never ready, and asks once about any other 400', async () => {
    const busy = [400, { errors: ['Upgrading from non-versioned to versioned data.'] }] as const;
    const error = await failureOf((await client([busy])).write('secret/data/x', {}));
    expect([error.status, seen.length]).toEqual([400, 9]);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(11_750);
    server?.close();
    seen.length = 0;
    await failureOf((await client([[400, { errors: ['no'] }]])).write('secret/data/x', {}));
    expect(seen).toHaveLength(1);
  });
});
