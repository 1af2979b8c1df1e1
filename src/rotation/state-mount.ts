import type { VaultClient } from '../client/vault-client.ts';

/** KV v2 mount with meshroot's own state: journals and the lock of apply; holds no secret. */
export const stateMount = 'meshroot-state';

/** Makes the mount when it is not there; safe to call at any time. */
export async function prepareState(vault: VaultClient): Promise<void> {
  const mounts = (await vault.read('sys/mounts'))?.data;
  if (mounts !== undefined && mounts !== null && `${stateMount}/` in mounts) return;
  await vault.write(`sys/mounts/${stateMount}`, {
    type: 'kv',
    description: 'journals and locks, no secrets, made by meshroot',
    options: { version: '2' },
  });
}
