import { denied } from './refusal.ts';
import type { RequestAuth } from './request-auth.ts';
import type { Services } from './services.ts';

/**
 * Counts one use of a token that may be used a limited number of times; after the last one the token is gone, and only
 * this request goes on with it.
 * @throws Refusal 403 when another request was quicker
 */
export async function spendUse(
  { services }: { readonly services: Services },
  auth: RequestAuth,
): Promise<RequestAuth> {
  for (;;) {
    const transaction = services.storage.begin(true);
    const token = services.tokens.find(transaction, auth.token.key);
    if (token === undefined || token.numUses <= 0) throw denied('token-used-up', 'the token has no use left');
    if (token.numUses === 1) services.tokens.revoke(transaction, token.key);
    else services.tokens.update(transaction, { ...token, numUses: token.numUses - 1 });
    const committed = transaction.commit();
    if (committed === undefined) continue;
    await committed;
    return { ...auth, token: { ...token, numUses: token.numUses - 1 } };
  }
}
