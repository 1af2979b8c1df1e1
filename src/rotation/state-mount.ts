import type { VaultClient } from '../client/vault-client.ts';
import { MeshrootError } from '../lib/errors.ts';

/** KV v2 mount with meshroot's own state: journals and the lock of apply; holds no secret. */
export const stateMount = 'meshroot-state';

/** Makes the mount when it is not there; safe to call at any time, also by two at once. */
export async function prepareState(vault: VaultClient): Promise<void> {
  if (await isThere(vault)) return;
  try {
    await vault.write(`sys/mounts/${stateMount}`, {
      type: 'kv',
      description: 'journals and locks, no secrets, made by meshroot',
      options: { version: '2' },
    });
  } catch (error) {
    // Another apply was faster by a moment: Vault refuses a mount where one is (400).
    const taken = error instanceof MeshrootError && error.status === 400;
    if (!taken || !(await isThere(vault))) throw error;
  }
}

async function isThere(vault: VaultClient): Promise<boolean> {
  return `${stateMount}/` in ((await vault.read('sys/mounts'))?.data ?? {});
}
