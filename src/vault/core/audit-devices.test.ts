import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, openTestCore, tokenOf } from '../test-core.ts';
import type { Fields } from './fields.ts';
import type { VaultCore } from './vault-core.ts';

let folder = '';
let core: VaultCore;
const log = (): string => join(folder, 'a.log');
const lines = (): string[] => readFileSync(log(), 'utf8').trim().split('\n');
const last = (): Fields => JSON.parse(lines().at(-1) ?? '');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-devices-'));
  core = await openTestCore({ auditFolders: [folder] });
});
afterEach(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const enable = (options: Fields = {}, type = 'file') =>
  call(core, 'update', 'sys/audit/d', { type, options: { file_path: log(), ...options } });

const wrapped = (path: string) =>
  core.handle({
    id: 'id',
    operation: 'update',
    path,
    token: 'root',
    data: { policies: ['default'] },
    wrapTtl: 60,
    headers: {},
    remoteAddress: '127.0.0.1',
    remotePort: 1,
  });

describe('the record of a wrapped answer', () => {
  test('has the wrapping token and accessor hashed, and what was wrapped', async () => {
    await enable();
    const { wrap_info } = (await wrapped('auth/token/create')).body as { wrap_info: Fields };
    const { response } = last() as { response: { wrap_info: Fields; auth: Fields } };
    expect(response.wrap_info).toMatchObject({
      ttl: 60,
      token: expect.stringMatching(/^hmac-sha256:/),
      accessor: expect.stringMatching(/^hmac-sha256:/),
      wrapped_accessor: expect.stringMatching(/^hmac-sha256:/),
      creation_path: 'auth/token/create',
    });
    expect(response.auth.policies).toEqual(['default']);
    const text = lines().join('\n');
    for (const secret of [wrap_info.token, wrap_info.accessor]) expect(text).not.toContain(secret);
  });

  test('of an unwrapping tells hashed what came out', async () => {
    await enable();
    const { wrap_info } = (await wrapped('sys/wrapping/wrap')).body as { wrap_info: { token: string } };
    await call(core, 'update', 'sys/wrapping/unwrap', { token: wrap_info.token });
    expect(last()).toMatchObject({ response: { data: { policies: [expect.stringMatching(/^hmac-/)] } } });
  });
});

describe('options of a device', () => {
  test('hmac_accessor=false shows accessors, never tokens', async () => {
    await enable({ hmac_accessor: 'false' });
    const reply = await call(core, 'update', 'auth/token/create', { policies: ['default'] });
    const { accessor } = (reply.body as { auth: { accessor: string } }).auth;
    expect(last()).toMatchObject({ response: { auth: { accessor } } });
    expect(lines().join('\n')).not.toContain(tokenOf(reply));
  });

  test('log_raw hashes nothing', async () => {
    await enable({ log_raw: 'true' });
    await call(core, 'update', 'cubbyhole/a', { password: 'plain' });
    expect(last()).toMatchObject({ request: { data: { password: 'plain' } } });
  });

  test('elide_list_responses records how long a list is', async () => {
    await call(core, 'update', 'cubbyhole/a', { k: 'v' });
    await call(core, 'update', 'cubbyhole/b', { k: 'v' });
    await enable({ elide_list_responses: 'true' });
    await call(core, 'list', 'cubbyhole/');
    expect(last()).toMatchObject({ response: { data: { keys: 2 } } });
  });

  test.each([
    [
      { format: 'jsonx' },
      'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"',
    ],
    [{ format: 'xml' }, 'unknown format type "xml"'],
    [{ prefix: '@cee: ' }, 'audit log prefixing is not allowed'],
    [{ log_raw: 'maybe' }, 'strconv.ParseBool: parsing "maybe": invalid syntax'],
  ])('%j is refused over the API', async (options, text) => {
    expect(await enable(options)).toMatchObject({ status: 400, body: { errors: [text] } });
    expect((await call(core, 'read', 'sys/audit')).body).toMatchObject({ data: {} });
  });

  test('a declared device may have a prefix', async () => {
    const declared = await openTestCore({
      auditDevices: [
        { path: 'p/', type: 'file', description: '', options: { file_path: log(), prefix: '@cee: ' } },
      ],
    });
    await call(declared, 'read', 'sys/mounts');
    expect(lines().every((line) => line.startsWith('@cee: {'))).toBe(true);
    await declared.close();
  });

  test('a socket is refused where nothing may be made over the API, or nothing reaches it', async () => {
    const closed = await openTestCore();
    const wanted = { type: 'socket', options: { address: '127.0.0.1:1' } };
    expect(await call(closed, 'update', 'sys/audit/s', wanted)).toMatchObject({
      status: 400,
      body: { errors: [expect.stringContaining('cannot enable audit device via API')] },
    });
    await closed.close();
    expect(await call(core, 'update', 'sys/audit/s', { type: 'socket', options: {} })).toMatchObject({
      body: { errors: ['address is required'] },
    });
  });
});

describe('a running device', () => {
  test('tells how it would hash a text', async () => {
    await enable();
    const { body } = await call(core, 'update', 'sys/audit-hash/d', { input: 'needle' });
    const { hash } = (body as { data: { hash: string } }).data;
    await call(core, 'update', 'cubbyhole/a', { k: 'needle' });
    expect(last()).toMatchObject({ request: { data: { k: hash } } });
    expect(await call(core, 'update', 'sys/audit-hash/x', { input: 'a' })).toMatchObject({
      status: 400,
      body: { errors: ['unknown audit backend "x/"'] },
    });
  });

  test('writes to a new file after rotation', async () => {
    await enable();
    renameSync(log(), `${log()}.1`);
    core.services?.audit.reopen();
    await call(core, 'read', 'cubbyhole/after');
    expect(lines()).toHaveLength(2);
    expect(readFileSync(`${log()}.1`, 'utf8')).not.toContain('cubbyhole/after');
  });
});
