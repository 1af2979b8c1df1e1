import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baoDev, baoPath } from '../../test/support/bao-dev.ts';
import { ownStore } from '../../test/support/own-store.ts';
import { VaultClient } from '../client/vault-client.ts';
import { systemClock } from '../lib/clock.ts';
import { Secret } from '../lib/secret.ts';
import { vaultTokens } from './ca-join-vault.ts';
import { VaultSession } from './ca-vault-session.ts';
import { tempFolder } from './test-mesh.ts';

const stores = [
  { store: 'our own store', start: ownStore, here: true },
  {
    store: 'a real OpenBao (skipped without bao on PATH)',
    start: () => baoDev(baoPath ?? ''),
    here: baoPath !== undefined,
  },
];
const path = 'secret/data/meshroot/joined';
const noon = Date.parse('2026-03-04T12:00:00Z');

describe.each(stores)('used tokens in $store', ({ start, here }) => {
  if (!here) return void test.skip('bao is not on PATH', () => {});
  let vault: Awaited<ReturnType<typeof start>>;
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let root: VaultClient;
  const sessions: VaultSession[] = [];
  beforeAll(async () => {
    [vault, folder] = await Promise.all([start(), tempFolder()]);
    root = new VaultClient({ address: vault.address }).withToken(new Secret('root'));
  }, 30_000);
  afterAll(async () => {
    for (const one of [root, ...sessions]) one.close();
    await Promise.all([vault.close(), folder.remove()]);
  });

  /** A replica whose token may do what the policy says. */
  async function replica(name: string, capabilities: string) {
    const policy = `path "${path}/*" { capabilities = [${capabilities}] }`;
    await vault.call('PUT', `sys/policies/acl/${name}`, { policy });
    const made = await root.write('auth/token/create', { policies: [name] });
    const tokenFile = join(folder.path, name);
    await writeFile(tokenFile, made?.auth?.client_token ?? '');
    const session = new VaultSession({ address: vault.address, login: { tokenFile }, clock: systemClock });
    sessions.push(session);
    return vaultTokens(session, path);
  }

  test('a policy of create alone is enough: once for all replicas, whatever they do at the same time', async () => {
    const [one, two] = await Promise.all([replica('one', '"create"'), replica('two', '"create"')]);
    for (let i = 0; i < 10; i++) {
      const mark = { id: `race-${i}`, expiresAt: noon };
      const results = await Promise.all([one.add(mark), two.add(mark), one.add(mark), two.add(mark)]);
      expect(results.filter(Boolean)).toHaveLength(1);
    }
    expect(await one.add({ id: 'race-0', expiresAt: noon })).toBe(false);
  });

  test('with a right to update too, check-and-set keeps the second out', async () => {
    const tokens = await replica('more', '"create", "update"');
    expect(await tokens.add({ id: 'more', expiresAt: noon })).toBe(true);
    expect(await tokens.add({ id: 'more', expiresAt: noon })).toBe(false);
  });

  test('entries lie under the day of their end', async () => {
    const tokens = await replica('day', '"create"');
    await tokens.add({ id: 'a', expiresAt: noon });
    await tokens.add({ id: 'b', expiresAt: undefined });
    expect(await vault.call('GET', `${path}/2026-03-04/a`)).toMatchObject({
      data: { ends: '2026-03-04T12:00:00.000Z' },
    });
    expect(await vault.call('GET', `${path}/without-end/b`)).toMatchObject({ data: { ends: 'never' } });
  });

  test('a policy that lets nothing be created is an error and no "used already"', async () => {
    const tokens = await replica('none', '"read"');
    await expect(tokens.add({ id: 'none', expiresAt: noon })).rejects.toMatchObject({
      code: 'join-denied',
      message: `the policy of the CA does not let it create ${path}/2026-03-04/none`,
    });
  });
});
