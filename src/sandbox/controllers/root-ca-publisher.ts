import { textAt } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import { type Controller, splitKey } from './controller.ts';

const mapName = 'kube-root-ca.crt';

/** Each namespace has the cluster's CA in a ConfigMap, for the projected volume of its pods. */
export function rootCaPublisher(caPem: string): Controller {
  return {
    name: 'root-ca-cert-publisher',
    watches: {
      namespaces: (namespace) => [`${namespace.metadata.name}/${mapName}`],
      configmaps: (map) => (map.metadata.name === mapName ? [`${map.metadata.namespace}/${mapName}`] : []),
    },
    async reconcile(key, { store, api }) {
      const { namespace, name } = splitKey(key);
      const found = store.get('namespaces', '', namespace);
      if (found === undefined || textAt(found, 'status', 'phase') === 'Terminating') return;
      const current = store.get('configmaps', namespace, name);
      const data = { 'ca.crt': caPem };
      if (current === undefined) {
        const annotations = {
          'kubernetes.io/description':
            'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
        };
        await api.ensure({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace, annotations },
          data,
        });
      } else if (textAt(current, 'data', 'ca.crt') !== caPem) {
        await api.mergePatch(kindOfResource('configmaps'), current, { data });
      }
    },
  };
}
