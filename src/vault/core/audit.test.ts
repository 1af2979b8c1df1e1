import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, openTestCore, request } from '../test-core.ts';
import { createHasher, hashValues } from './audit-record.ts';

describe('hashValues', () => {
  const hash = createHasher(Buffer.alloc(32));

  test('hashes texts at any depth; keys, numbers, booleans, null and times stay', () => {
    const time = '2026-11-22T10:00:00.123Z';
    const hashed = hashValues({ a: 'x', n: 1, t: time, deep: [{ b: 'x' }, true, null] }, hash);
    expect(hashed).toEqual({ a: hash('x'), n: 1, t: time, deep: [{ b: hash('x') }, true, null] });
    expect(hash('x')).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  });

  test('exempt names stay clear', () => {
    expect(hashValues({ a: 'x', b: 'x' }, hash, ['a'])).toEqual({ a: 'x', b: hash('x') });
  });
});

describe('a file device', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const device = (file: string): Record<string, unknown> => ({ type: 'file', options: { file_path: file } });

  test('gets a request and a response per call, without a secret in clear, mode 0600', async () => {
    const file = join(folder, 'a.log');
    const core = await openTestCore({ auditFolders: [folder] });
    expect((await call(core, 'update', 'sys/audit/file', device(file))).status).toBe(204);
    await call(core, 'update', 'cubbyhole/a', { password: 'hush-hush' });
    await call(core, 'read', 'cubbyhole/a', {}, 'wrong-token');
    const text = readFileSync(file, 'utf8');
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(text).not.toMatch(/hush-hush|wrong-token|"root-token"/);
    expect(records.map(({ type, request }) => `${type} ${request.operation} ${request.path}`)).toEqual([
      'request update sys/audit/test',
      'response update sys/audit/file',
      'request create cubbyhole/a',
      'response create cubbyhole/a',
      'request read cubbyhole/a',
      'response read cubbyhole/a',
    ]);
    expect(records[2].request.id).toBe(records[3].request.id);
    expect(records[2].auth.policy_results.allowed).toBe(true);
    expect(records[4]).toMatchObject({ auth: { token_type: 'default' }, error: 'permission denied' });
    expect(records[5].error).toBe('1 error occurred:\n\t* permission denied\n\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await core.close();
  });

  test('shows the headers that people want to see, logins only hashed', async () => {
    const file = join(folder, 'a.log');
    const core = await openTestCore({ auditFolders: [folder] });
    for (const [name, hmac] of [
      ['X-Plain', false],
      ['x-hashed', true],
      ['X-Vault-Token', false],
    ] as const) {
      await call(core, 'update', `sys/config/auditing/request-headers/${name}`, { hmac });
    }
    await call(core, 'update', 'sys/audit/file', device(file));
    const headers = { 'x-plain': 'clear', 'X-Hashed': ['one', 'two'], 'x-vault-token': 'root', other: 'x' };
    await core.handle({ ...request('read', 'sys/mounts', {}, 'root'), headers });
    const last = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
    const hmac = expect.stringMatching(/^hmac-sha256:/);
    expect(JSON.parse(last).request.headers).toEqual({
      'x-plain': ['clear'],
      'x-hashed': [hmac, hmac],
      'x-vault-token': [hmac],
    });
    await core.close();
  });

  test('a file outside of the allowed folders is refused', async () => {
    const core = await openTestCore({ auditFolders: [folder] });
    for (const file of ['/etc/evil', `${folder}/../evil`, 'relative.log']) {
      const { status, body } = await call(core, 'update', 'sys/audit/file', device(file));
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain('cannot enable audit device via API');
    }
    await core.close();
  });

  test('a call that cannot be recorded does not happen', async () => {
    const core = await openTestCore({
      auditDevices: [
        { path: 'full/', type: 'file', description: '', options: { file_path: join(folder, 'a.log') } },
      ],
    });
    expect((await call(core, 'update', 'cubbyhole/a', { k: 'v' })).status).toBe(204);
    const services = core.services;
    const record = services?.audit.record.bind(services.audit);
    if (services === undefined || record === undefined) throw new Error('not open');
    services.audit.record = () => {
      services.audit.record = record;
      services.audit.stop();
      throw Object.assign(new Error('ENOSPC'), { status: 500 });
    };
    const reply = await call(core, 'update', 'cubbyhole/b', { k: 'v' });
    expect(reply.status).toBe(500);
    expect((await call(core, 'read', 'cubbyhole/b')).status).toBe(404);
    await core.close();
  });
});
