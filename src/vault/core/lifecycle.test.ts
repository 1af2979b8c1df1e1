import { expect, test } from 'vitest';
import { request, testCatalogue } from '../test-core.ts';
import { handleLifecycle } from './lifecycle.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import { VaultCore } from './vault-core.ts';

test.each([
  [{ pgp_keys: ['k'] }, 'pgp_keys is not offered by this server: it has no OpenPGP'],
  [{ pgp_keys: 'k' }, 'pgp_keys is not offered by this server: it has no OpenPGP'],
  [{ root_token_pgp_key: 'k' }, 'root_token_pgp_key is not offered by this server: it has no OpenPGP'],
  [
    { recovery_threshold: 1, recovery_pgp_keys: ['k'] },
    'parameters recovery_threshold,recovery_pgp_keys not applicable to seal type shamir',
  ],
])('nobody gets in clear what they asked to be encrypted: %j', async (more, text) => {
  const core = new VaultCore({ physical: createMemoryPhysical(), catalogue: testCatalogue() });
  const asked = request('update', 'sys/init', { secret_shares: 1, secret_threshold: 1, ...more }, undefined);
  expect(await handleLifecycle(core, asked, 0)).toEqual({ status: 400, body: { errors: [text] } });
  expect(core.status().initialized).toBe(false);
  await core.close();
});
