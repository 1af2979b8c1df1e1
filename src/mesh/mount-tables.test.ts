import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownStore } from '../../test/support/own-store.ts';
import { VaultClient } from '../client/vault-client.ts';
import { Secret } from '../lib/secret.ts';
import { MountTablesVault } from './mount-tables.ts';

/** Counts what is read. */
class Counting extends VaultClient {
  readonly paths: string[] = [];
  override read(path: string): ReturnType<VaultClient['read']> {
    this.paths.push(path);
    return super.read(path);
  }
}

describe('tables of mounts', () => {
  let store: Awaited<ReturnType<typeof ownStore>>;
  let inner: Counting;
  beforeAll(async () => {
    store = await ownStore();
    inner = new Counting({ address: store.address, token: new Secret('root') });
  });
  afterAll(async () => {
    inner.close();
    await store.close();
  });

  const fresh = async (table: string) => (await inner.read(table))?.data;

  test.each(['sys/mounts', 'sys/auth'])('%s is read once, and right after own writes', async (table) => {
    const vault = new MountTablesVault(inner);
    await vault.read(table);
    inner.paths.length = 0;
    const type = table === 'sys/auth' ? 'approle' : 'kv';
    for (const name of ['a', 'b', 'deep/c'])
      await vault.write(`${table}/${name}`, { type, description: name });
    await vault.write(`${table}/a/tune`, { description: 'other' });
    await vault.delete(`${table}/b`);
    const known = (await vault.read(table))?.data;
    expect(inner.paths).not.toContain(table);
    expect(known).toEqual(await fresh(table));
    expect(known).toMatchObject({ 'a/': { description: 'other' }, 'deep/c/': { type } });
    expect(known).not.toHaveProperty('b/');
  });

  test('a refused write changes nothing, and a table that could not be read is asked for again', async () => {
    const vault = new MountTablesVault(inner);
    await vault.read('sys/auth');
    await expect(vault.write('sys/auth/x', { type: 'nonsense' })).rejects.toMatchObject({ status: 400 });
    expect((await vault.read('sys/auth'))?.data).toEqual(await fresh('sys/auth'));
    const stranger = new MountTablesVault(inner.withToken(new Secret('nobody')));
    await expect(stranger.read('sys/mounts')).rejects.toMatchObject({ status: 403 });
    await expect(stranger.read('sys/mounts')).rejects.toMatchObject({ status: 403 });
  });
});
