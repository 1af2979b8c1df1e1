import { describe, expect, test } from 'vitest';
import type { RawAnswer } from '../client/transport.ts';
import { VaultClient } from '../client/vault-client.ts';
import { systemClock } from '../lib/clock.ts';
import { Secret } from '../lib/secret.ts';
import { Fetcher } from './fetch.ts';
import type { VaultAccess } from './vault-access.ts';

const v2 = '{"data":{"path":"kv/","options":{"version":"2"}}}';

/** A fetcher over canned answers by `METHOD path`; 404 for the rest. */
function fetcher(answers: Readonly<Record<string, readonly [number, string]>>) {
  const asked: string[] = [];
  const warnings: string[] = [];
  const access: VaultAccess = {
    client: () => new VaultClient({ address: 'http://127.0.0.1:1' }),
    reload: async () => {},
    close: () => {},
    send: async (method, path, _, body): Promise<RawAnswer> => {
      asked.push(`${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`);
      const [status, text] = answers[`${method} ${path}`] ?? [404, '{"errors":[]}'];
      return { status, text, headers: {} };
    },
  };
  const subject = new Fetcher({
    access,
    token: new Secret('t'),
    clock: systemClock,
    random: () => 0.5,
    renewAfter: 0.9,
    warn: (path, reason) => warnings.push(`${path}: ${reason}`),
  });
  return { subject, asked, warnings };
}

describe('what templates need', () => {
  test('is read below data/ in a KV version 2 mount, with the version asked for', async () => {
    const { subject, asked } = fetcher({
      'GET sys/internal/ui/mounts/kv/a%20b': [200, v2],
      'GET kv/data/a%20b?version=3': [200, '{"data":{"data":{"x":1},"metadata":{}}}'],
    });
    const fetched = await subject.fetch({ kind: 'secret', path: 'kv/a b?version=3' });
    expect(fetched.kind).toBe('secret');
    expect(asked).toEqual(['GET sys/internal/ui/mounts/kv/a%20b', 'GET kv/data/a%20b?version=3']);
  });

  test('is missing when its version was deleted', async () => {
    const { subject } = fetcher({
      'GET sys/internal/ui/mounts/kv/a': [200, v2],
      'GET kv/data/a': [200, '{"data":{"data":null,"metadata":{}}}'],
    });
    await expect(subject.fetch({ kind: 'secret', path: 'kv/a' })).rejects.toMatchObject({
      code: 'template-read',
      message: 'vault.read(kv/a): no secret exists at kv/a',
    });
  });

  test('is listed below metadata/, also at the mount itself', async () => {
    const { subject } = fetcher({
      'GET sys/internal/ui/mounts/kv': [200, v2],
      'GET kv/metadata?list=true': [200, '{"data":{"keys":["b","a/"]}}'],
    });
    expect(await subject.fetch({ kind: 'list', path: 'kv' })).toEqual({ kind: 'list', keys: ['a/', 'b'] });
  });

  test('is wrapped in data when it is written to KV version 2', async () => {
    const { subject, asked } = fetcher({
      'GET sys/internal/ui/mounts/kv/a': [200, v2],
      'PUT kv/data/a': [200, '{"data":{"version":1}}'],
    });
    await subject.fetch({ kind: 'write', path: 'kv/a', data: { k: 'v' } });
    expect(asked[1]).toBe('PUT kv/data/a {"data":{"k":"v"}}');
  });

  test('counts as version 1, with a warning, when the mount may not be asked for', async () => {
    const { subject, warnings } = fetcher({
      'GET sys/internal/ui/mounts/kv/a': [403, '{"errors":["preflight capability check returned 403"]}'],
      'GET kv/a': [200, '{"data":{"x":"y"}}'],
    });
    await subject.fetch({ kind: 'secret', path: 'kv/a' });
    expect(warnings).toEqual([
      'kv/a: 403 from GET /v1/sys/internal/ui/mounts/kv/a: preflight capability check returned 403',
    ]);
  });
});
