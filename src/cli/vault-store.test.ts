import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { baoDev, baoPath } from '../../test/support/bao-dev.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { listenVault } from '../server/vault-listener.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { call, openTestCore } from '../vault/test-core.ts';
import { run } from './main.ts';

const ends: (() => unknown)[] = [];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vault-store-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

async function store(): Promise<{ core: VaultCore; address: string }> {
  const core = await openTestCore();
  const listener = await listenVault({
    core,
    clock: systemClock,
    log: silentLogger,
    host: '127.0.0.1',
    port: 0,
  });
  ends.push(async () => {
    await listener.close();
    await core.close();
  });
  return { core, address: listener.address };
}

async function vault(address: string, ...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const env = { VAULT_ADDR: address, VAULT_TOKEN: 'root' };
  const code = await run(['vault', ...args], {
    stdout,
    stderr,
    env,
    signal: new AbortController().signal,
    exitCode: 0,
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

const dataOf = async (core: VaultCore, path: string, query = {}): Promise<unknown> =>
  ((await call(core, 'read', path, query)).body as { data?: unknown }).data;

describe('meshroot vault status', () => {
  test('ends with 0 when open, 2 when sealed, 1 when nobody answers', async () => {
    const { core, address } = await store();
    expect((await vault(address, 'status')).code).toBe(0);
    core.seal();
    expect((await vault(address, 'status')).code).toBe(2);
    expect((await vault('http://127.0.0.1:1', 'status')).code).toBe(1);
  });
});

describe('meshroot vault snapshot', () => {
  test('saves to a file of its owner, and restores from it', async () => {
    const { core, address } = await store();
    const file = join(folder, 'a.snap');
    await call(core, 'update', 'cubbyhole/a', { k: 'old' });
    expect(await vault(address, 'snapshot', 'save', file)).toMatchObject({ code: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await call(core, 'update', 'cubbyhole/a', { k: 'new' });
    expect(await vault(address, 'snapshot', 'restore', file)).toMatchObject({
      code: 0,
      stdout: `restored from ${file}\n`,
    });
    expect(await dataOf(core, 'cubbyhole/a')).toEqual({ k: 'old' });
  });

  test('says why one is refused, and leaves no half file', async () => {
    const { core, address } = await store();
    const other = await store();
    const file = join(folder, 'a.snap');
    await vault(other.address, 'snapshot', 'save', file);
    expect(await vault(address, 'snapshot', 'restore', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('different set of unseal keys'),
    });
    expect(await vault(address, 'snapshot', 'restore', '--force', file)).toMatchObject({ code: 0 });
    expect(core.status().sealed).toBe(true);
    const before = readFileSync(file);
    expect((await vault(address, 'snapshot', 'save', file)).code).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('meshroot vault migrate', () => {
  async function furnished() {
    const from = await store();
    const write = (path: string, data: object) => call(from.core, 'update', path, { ...data });
    await write('sys/policies/acl/p', { policy: 'path "kv/*" { capabilities = ["read"] }' });
    await write('sys/mounts/kv', { type: 'kv', config: { default_lease_ttl: '1h' } });
    await write('kv/a/b', { k: 'v' });
    await write('sys/mounts/kv2', { type: 'kv', options: { version: '2' } });
    for (const n of [1, 2, 3]) await write('kv2/data/s', { data: { n } });
    await write('kv2/destroy/s', { versions: [2] });
    await write('sys/mounts/pki', { type: 'pki' });
    await write('sys/auth/jwt', { type: 'approle' });
    await write('auth/jwt/role/r', { token_policies: 'p', token_ttl: '20m' });
    await write('sys/auth/up', { type: 'userpass' });
    await write('identity/entity', { name: 'joe', policies: ['p'] });
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'root\n');
    return { from, tokenFile };
  }

  test('copies what can be copied, says what cannot, and finds everything the same afterwards', async () => {
    const { from, tokenFile } = await furnished();
    const to = await store();
    const args = ['migrate', '--to', to.address, '--to-token-file', tokenFile];
    const first = await vault(from.address, ...args);
    expect(first.stderr).toContain('left behind');
    expect(first.code).toBe(0);
    expect(await dataOf(to.core, 'kv/a/b')).toEqual({ k: 'v' });
    expect(await dataOf(to.core, 'kv2/data/s')).toMatchObject({ data: { n: 3 }, metadata: { version: 3 } });
    expect(await dataOf(to.core, 'kv2/data/s', { version: 1 })).toMatchObject({ data: { n: 1 } });
    expect(await dataOf(to.core, 'kv2/data/s', { version: 2 })).toMatchObject({
      metadata: { destroyed: true },
    });
    expect(await dataOf(to.core, 'auth/jwt/role/r')).toMatchObject({
      token_policies: ['p'],
      token_ttl: 1200,
    });
    expect(await dataOf(to.core, 'sys/mounts/kv')).toMatchObject({ config: { default_lease_ttl: 3600 } });
    expect(await dataOf(to.core, 'identity/entity/name/joe')).toMatchObject({ policies: ['p'] });
    for (const why of [
      'private keys are never shown',
      'passwords are kept as hashes',
      'secret ids',
      'tokens',
    ]) {
      expect(first.stdout).toContain(why);
    }
    const again = await vault(from.address, ...args);
    expect(again.stderr).toMatch(/^0 made, 0 changed, /);
  });

  test.skipIf(baoPath === undefined)('fills a real OpenBao (skipped without bao on PATH)', async () => {
    const { from, tokenFile } = await furnished();
    const to = await baoDev(String(baoPath));
    ends.push(() => to.close());
    const args = ['migrate', '--to', to.address, '--to-token-file', tokenFile];
    expect(await vault(from.address, ...args)).toMatchObject({ code: 0 });
    const read = await fetch(`${to.address}/v1/kv2/data/s`, { headers: { 'X-Vault-Token': 'root' } });
    expect(await read.json()).toMatchObject({ data: { data: { n: 3 }, metadata: { version: 3 } } });
    expect((await vault(from.address, ...args)).stderr).toMatch(/^0 made, 0 changed, /);
  });

  test('writes nothing in a dry run', async () => {
    const { from, tokenFile } = await furnished();
    const to = await store();
    const dry = await vault(
      from.address,
      'migrate',
      '--to',
      to.address,
      '--to-token-file',
      tokenFile,
      '--dry-run',
    );
    expect(dry.stderr).toContain('nothing was written');
    expect(dry.stdout).toMatch(/^made +kv\/a\/b$/m);
    expect((await call(to.core, 'read', 'sys/mounts/kv')).status).toBe(400);
    expect((await call(to.core, 'read', 'sys/policies/acl/p')).status).toBe(404);
  });
});
