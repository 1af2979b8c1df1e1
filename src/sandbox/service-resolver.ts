import type { ServiceResolver } from './api/admission/webhook-call.ts';
import { listAt, numberAt, textAt } from './api/fields.ts';
import type { Store } from './api/store.ts';

/** Finds a Service's port by its Endpoints, which the kubelet's pods or a person fill in. */
export function endpointsResolver(store: Store): ServiceResolver {
  return (namespace, name, port) => {
    const service = store.get('services', namespace, name);
    const wanted = listAt(service, 'spec', 'ports').find((p) => numberAt(p, 'port') === port);
    if (wanted === undefined) return undefined;
    for (const subset of listAt(store.get('endpoints', namespace, name), 'subsets')) {
      const found = listAt(subset, 'ports').find((p) => textAt(p, 'name') === textAt(wanted, 'name'));
      const host = textAt(listAt(subset, 'addresses')[0], 'ip');
      const number = numberAt(found, 'port');
      if (number !== undefined && host !== '') return { host, port: number };
    }
    return undefined;
  };
}
