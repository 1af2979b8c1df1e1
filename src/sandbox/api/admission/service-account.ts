import { randomInt } from 'node:crypto';
import { type ApiObject, type Fields, fieldsAt, isFields, listAt, textAt, valueAt } from '../fields.ts';
import { forbidden } from '../status-error.ts';
import type { Store } from '../store.ts';
import type { AdmissionRequest } from './admission-request.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';

/**
 * The ServiceAccount admission plugin: a pod without a service account gets `default`, and each container without a
 * mount of its own gets the projected token, CA and namespace. Run before the webhooks, and again after them for the
 * containers that they add.
 * @throws StatusError 403 when the service account does not exist
 */
export function admitServiceAccount(request: AdmissionRequest, store: Store): ApiObject | undefined {
  const { kind, operation, object, subresource, namespace } = request;
  if (kind.plural !== 'pods' || operation !== 'CREATE' || subresource !== '' || object === undefined)
    return object;
  const spec: Fields = { ...fieldsAt(object, 'spec') };
  const name = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || 'default';
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  const account = store.get('serviceaccounts', namespace, name);
  if (account === undefined) {
    const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
    throw forbidden(kind, object.metadata.name ?? object.metadata.generateName ?? '', why);
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
  if (listAt(spec, 'imagePullSecrets').length === 0 && listAt(account, 'imagePullSecrets').length > 0) {
    spec.imagePullSecrets = account.imagePullSecrets;
  }
  return { ...object, spec };
}

function mountToken(spec: Fields): void {
  const volumes = listAt(spec, 'volumes').filter(isFields);
  const existing = volumes.find((v) => textAt(v, 'name').startsWith(volumePrefix) && isFields(v.projected));
  const volume = existing === undefined ? `${volumePrefix}${randomSuffix()}` : textAt(existing, 'name');
  let used = false;
  const withMount = (container: unknown): unknown => {
    const mounts = listAt(container, 'volumeMounts');
    if (mounts.some((mount) => textAt(mount, 'mountPath') === mountPath)) return container;
    used = true;
    return {
      ...(isFields(container) ? container : {}),
      volumeMounts: [...mounts, { name: volume, readOnly: true, mountPath }],
    };
  };
  for (const list of ['initContainers', 'containers']) {
    if (valueAt(spec, list) !== undefined) spec[list] = listAt(spec, list).map(withMount);
  }
  if (used && existing === undefined) spec.volumes = [...volumes, projectedVolume(volume)];
}

function projectedVolume(name: string): Fields {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'; // Kubernetes' own: no vowels, so no words

/** Five random characters, as generateName adds. */
export function randomSuffix(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
