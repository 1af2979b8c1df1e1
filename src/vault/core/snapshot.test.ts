import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createCatalogue } from '../catalogue.ts';
import { call, openTestCore } from '../test-core.ts';
import { handleLifecycle } from './lifecycle.ts';
import { openLmdbPhysical } from './physical-lmdb.ts';
import type { Reply } from './request.ts';
import { VaultCore } from './vault-core.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
  folders.push(folder);
  return folder;
};

async function durable(folder = newFolder()): Promise<{ core: VaultCore; folder: string; share: Buffer }> {
  const catalogue = createCatalogue({
    review: () => Promise.reject(new Error('none')),
    readLocal: () => undefined,
  });
  const core = new VaultCore({ physical: openLmdbPhysical(folder), catalogue });
  const { shares } = await core.init({ shares: 1, threshold: 1 }, 'root');
  const share = Buffer.from(shares[0] ?? '');
  await core.unseal(Buffer.from(share));
  return { core, folder, share };
}

async function save(core: VaultCore): Promise<Buffer> {
  const { stream } = await call(core, 'read', 'sys/storage/raft/snapshot');
  const pieces: Uint8Array[] = [];
  for await (const piece of stream?.body ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

const restore = async (core: VaultCore, bytes: Buffer, path = 'snapshot'): Promise<Reply | undefined> =>
  handleLifecycle(
    core,
    {
      id: 'id',
      operation: 'update',
      path: `sys/storage/raft/${path}`,
      token: 'root',
      data: {},
      wrapTtl: undefined,
      headers: {},
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      upload: (async function* () {
        yield bytes;
      })(),
    },
    Date.now(),
  );

const value = async (core: VaultCore, path = 'cubbyhole/a'): Promise<unknown> =>
  ((await call(core, 'read', path)).body as { data?: unknown }).data;

describe('a snapshot', () => {
  test('brings everything back as it was, and the store stays open', async () => {
    const { core, folder } = await durable();
    await call(core, 'update', 'cubbyhole/a', { k: 'old' });
    const bytes = await save(core);
    await call(core, 'update', 'cubbyhole/a', { k: 'new' });
    await call(core, 'update', 'sys/mounts/later', { type: 'kv' });
    expect(await restore(core, bytes)).toMatchObject({ status: 204 });
    expect(await value(core)).toEqual({ k: 'old' });
    expect((await call(core, 'read', 'sys/mounts/later')).status).toBe(400);
    expect(readdirSync(folder).sort()).toEqual(['store.mdb', 'store.mdb-lock']);
    await call(core, 'update', 'cubbyhole/a', { k: 'written after' });
    expect(await value(core)).toEqual({ k: 'written after' });
    await core.close();
  });

  test('is of one moment, however much is written while it is read', async () => {
    const { core } = await durable();
    await call(core, 'update', 'cubbyhole/a', { k: 'before' });
    const { stream } = await call(core, 'read', 'sys/storage/raft/snapshot');
    const pieces: Uint8Array[] = [];
    for await (const piece of stream?.body ?? []) {
      if (pieces.push(piece) > 1) continue;
      await call(core, 'update', 'cubbyhole/a', { k: 'after' });
      await call(core, 'update', 'cubbyhole/b', { k: 'after' });
    }
    await restore(core, Buffer.concat(pieces));
    expect(await value(core)).toEqual({ k: 'before' });
    expect((await call(core, 'read', 'cubbyhole/b')).status).toBe(404);
    await core.close();
  });

  test('that is cut short by sealing or closing fails for its reader, and one that nobody reads holds nothing', async () => {
    for (const end of ['seal', 'close'] as const) {
      const { core } = await durable();
      for (let i = 0; i < 16; i++) {
        await call(core, 'update', `cubbyhole/${i}`, { k: randomBytes(64 * 1024).toString('hex') });
      }
      await call(core, 'read', 'sys/storage/raft/snapshot');
      const { stream } = await call(core, 'read', 'sys/storage/raft/snapshot');
      const pieces = stream?.body[Symbol.asyncIterator]();
      await pieces?.next();
      await core[end]();
      const rest = (async () => {
        while ((await pieces?.next())?.done !== true);
      })();
      await expect(rest).rejects.toThrow(expect.objectContaining({ code: 'sealed' }));
      if (end === 'seal') await core.close();
    }
  });

  test('has no secret in clear', async () => {
    const { core } = await durable();
    await call(core, 'update', 'cubbyhole/a', { password: 'hush-hush' });
    const text = gunzipSync(await save(core)).toString('latin1');
    expect(text).toContain('SHA256SUMS.sealed');
    expect(text).not.toContain('hush-hush');
    await core.close();
  });

  test('of another store is refused, and taken by force: its own shares open it then', async () => {
    const theirs = await durable();
    await call(theirs.core, 'update', 'cubbyhole/a', { k: 'theirs' });
    const bytes = await save(theirs.core);
    const { core } = await durable();
    await call(core, 'update', 'cubbyhole/a', { k: 'ours' });
    expect(await restore(core, bytes)).toMatchObject({
      status: 400,
      body: {
        errors: [expect.stringContaining('possibly the snapshot is using a different set of unseal keys')],
      },
    });
    expect(await value(core)).toEqual({ k: 'ours' });
    expect(await restore(core, bytes, 'snapshot-force')).toMatchObject({ status: 204 });
    expect(core.status()).toMatchObject({ initialized: true, sealed: true });
    await core.unseal(theirs.share);
    expect(await value(core)).toEqual({ k: 'theirs' });
    await core.close();
    await theirs.core.close();
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 200), /cannot be restored: /],
    [
      'changed inside',
      (bytes: Buffer) => {
        const tar = gunzipSync(bytes);
        const at = tar.indexOf('core/keyring') + 40;
        tar[at] = (tar[at] ?? 0) ^ 1;
        return gzipSync(tar);
      },
      /its checksum is wrong/,
    ],
    [
      'of a newer version',
      (bytes: Buffer) => {
        const tar = gunzipSync(bytes);
        tar.write('"version":9', tar.indexOf('"version":1'));
        return gzipSync(tar);
      },
      /it is of version 9, this program reads up to 1/,
    ],
    ['something else', () => gzipSync('hello'), /cannot be restored: /],
    ['no archive at all', () => Buffer.from('hello'), /cannot be restored: /],
  ])('that is %s is refused, even by force, and the store is untouched', async (_, spoil, text) => {
    const core = await openTestCore();
    await call(core, 'update', 'cubbyhole/a', { k: 'kept' });
    const bytes = spoil(await save(core));
    for (const path of ['snapshot', 'snapshot-force']) {
      expect(await restore(core, bytes, path)).toMatchObject({
        status: 400,
        body: { errors: [expect.stringMatching(text)] },
      });
    }
    expect(await value(core)).toEqual({ k: 'kept' });
    await core.close();
  });
});

test('a restore that is killed leaves the old store', { timeout: 30_000 }, async () => {
  const { core, folder, share } = await durable();
  await call(core, 'update', 'cubbyhole/a', { k: 'old' });
  await core.close();
  const url = new URL('./physical-lmdb.ts', import.meta.url).href;
  const program = `
    const { openLmdbPhysical } = await import(${JSON.stringify(url)});
    const physical = openLmdbPhysical(${JSON.stringify(folder)});
    function* entries() {
      for (let i = 0; i < 2000; i++) yield { key: 'half/' + i, value: Buffer.alloc(4096) };
      process.kill(process.pid, 'SIGKILL');
    }
    await physical.replaceAll(entries());`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  const catalogue = createCatalogue({
    review: () => Promise.reject(new Error('none')),
    readLocal: () => undefined,
  });
  const again = new VaultCore({ physical: openLmdbPhysical(folder), catalogue });
  await again.unseal(share);
  expect(await value(again)).toEqual({ k: 'old' });
  await again.close();
});
