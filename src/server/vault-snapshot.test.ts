import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { type Logger, silentLogger } from '../lib/log.ts';
import { createMemoryPhysical } from '../vault/core/physical-memory.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { openTestCore } from '../vault/test-core.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';

const warnings: string[] = [];
const log: Logger = {
  ...silentLogger,
  warn: (message, fields) => warnings.push(`${message}: ${fields?.error}`),
};
let core: VaultCore;
let listener: VaultListener;
beforeAll(async () => {
  const physical = createMemoryPhysical();
  core = await openTestCore({ physical });
  // More than the sockets between the two hold.
  for (let i = 0; i < 24; i++) await physical.commit([{ key: `big/${i}`, value: randomBytes(1024 * 1024) }]);
  listener = await listenVault({ core, clock: systemClock, log, host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await listener.close();
  await core.close();
});

test('a store that is sealed in the middle of a download of its snapshot cuts it off and lives on', async () => {
  const headers = { 'X-Vault-Token': 'root' };
  const answer = await fetch(`${listener.address}/v1/sys/storage/raft/snapshot`, { headers });
  const reader = answer.body?.getReader();
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
  core.seal();
  const rest = (async () => {
    while ((await reader?.read())?.done !== true);
  })();
  await expect(rest).rejects.toThrow('terminated');
  expect((await fetch(`${listener.address}/v1/sys/health`)).status).toBe(503);
  expect(warnings).toEqual(['an answer could not be sent: Vault is sealed']);
});
