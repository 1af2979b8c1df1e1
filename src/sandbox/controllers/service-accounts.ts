import { textAt } from '../api/fields.ts';
import { type Controller, splitKey } from './controller.ts';

/** Each namespace has a service account `default`. */
export const serviceAccounts: Controller = {
  name: 'serviceaccount-controller',
  watches: {
    namespaces: (namespace) => [`${namespace.metadata.name}/default`],
    serviceaccounts: (account) =>
      account.metadata.name === 'default' ? [`${account.metadata.namespace}/default`] : [],
  },
  async reconcile(key, { store, api }) {
    const { namespace, name } = splitKey(key);
    const found = store.get('namespaces', '', namespace);
    if (found === undefined || textAt(found, 'status', 'phase') === 'Terminating') return;
    if (store.get('serviceaccounts', namespace, name) !== undefined) return;
    await api.ensure({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  },
};
