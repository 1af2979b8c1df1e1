import { VaultError } from '../client/vault-error.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { UsedTokens } from './ca-join.ts';
import type { VaultSession } from './ca-vault-session.ts';

/**
 * Used tokens in Vault's KV version 2, for replicas and restarts: one entry per token under the day on which it ends, so
 * that whole days can be cleared away. `cas: 0` lets one writer through and no more; the policy needs `create` alone.
 * @param path of the API, with `data/`: `secret/data/meshroot/joined`
 * https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#create-update-secret
 */
export function vaultTokens(session: Pick<VaultSession, 'write'>, path: string): UsedTokens {
  return {
    add: async ({ id, expiresAt }) => {
      const end = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
      const entry = `${path}/${end?.slice(0, 10) ?? 'without-end'}/${id}`;
      try {
        await session.write(entry, { options: { cas: 0 }, data: { ends: end ?? 'never' } });
        return true;
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        if (error.status === 400 && error.message.includes('check-and-set')) return false;
        if (error.status === 403) return denied(session, entry);
        throw error;
      }
    },
  };
}

/** A writer that may only create is denied what exists; one that may not create has the wrong policy. */
async function denied(session: Pick<VaultSession, 'write'>, entry: string): Promise<false> {
  const answer = await session.write('sys/capabilities-self', { paths: [entry] });
  const found = answer?.data?.capabilities;
  if (Array.isArray(found) && (found.includes('create') || found.includes('root'))) return false;
  throw new MeshrootError('join-denied', `the policy of the CA does not let it create ${entry}`);
}
