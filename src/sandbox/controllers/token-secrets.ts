import { fieldsAt } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import type { ServiceAccountTokens } from '../api/service-account-tokens.ts';
import { type Controller, keyOf, splitKey } from './controller.ts';

const type = 'kubernetes.io/service-account-token';
const accountAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

/** Fills Secrets of type `kubernetes.io/service-account-token`, and removes them with their service account. */
export function tokenSecrets(tokens: ServiceAccountTokens, caPem: string): Controller {
  return {
    name: 'tokens-controller',
    watches: {
      secrets: (secret) => (secret.type === type ? [keyOf(secret)] : []),
      // a Secret may be there before its account; it is found again by its namespace
      serviceaccounts: (account) => [`${account.metadata.namespace}/*${account.metadata.name}`],
    },
    async reconcile(key, cluster) {
      const { namespace, name } = splitKey(key);
      if (name.startsWith('*')) {
        const ofAccount = cluster.store
          .list('secrets', namespace)
          .filter((s) => s.type === type && s.metadata.annotations?.[accountAnnotation] === name.slice(1));
        for (const secret of ofAccount) await this.reconcile(keyOf(secret), cluster);
        return;
      }
      const secret = cluster.store.get('secrets', namespace, name);
      if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return;
      const accountName = secret.metadata.annotations?.[accountAnnotation] ?? '';
      const account = cluster.store.get('serviceaccounts', namespace, accountName);
      const uid = secret.metadata.annotations?.[uidAnnotation];
      const kind = kindOfResource('secrets');
      if (account === undefined || (uid !== undefined && uid !== account.metadata.uid)) {
        return await cluster.api.delete(kind, secret);
      }
      const data = fieldsAt(secret, 'data');
      if (typeof data.token === 'string' && typeof data['ca.crt'] === 'string') return;
      const accountUid = account.metadata.uid ?? '';
      const token = await tokens.issueForSecret(namespace, name, accountName, accountUid);
      await cluster.api.mergePatch(kind, secret, {
        metadata: { annotations: { [uidAnnotation]: accountUid } },
        data: { token: encode(token), 'ca.crt': encode(caPem), namespace: encode(namespace) },
      });
    },
  };
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
