import { MeshrootError } from '../../lib/errors.ts';
import type { Container, Pod, ResourceFieldRef } from './pod.ts';

/** Address of every pod: they all share the host's loopback. */
export const podIp = '127.0.0.1';

/** Value of a downward API `fieldRef`. @throws MeshrootError `bad-field-path` */
export function fieldValue(pod: Pod, fieldPath: string): string {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(fieldPath);
  if (keyed !== null)
    return pod.metadata[keyed[1] === 'labels' ? 'labels' : 'annotations']?.[keyed[2] ?? ''] ?? '';
  const read = fields[fieldPath];
  if (read === undefined) {
    throw new MeshrootError(
      'bad-field-path',
      `field path "${fieldPath}" is not supported by the sandbox kubelet`,
    );
  }
  return read(pod);
}

const fields: Readonly<Record<string, (pod: Pod) => string>> = {
  'metadata.name': (pod) => pod.metadata.name,
  'metadata.namespace': (pod) => pod.metadata.namespace,
  'metadata.uid': (pod) => pod.metadata.uid,
  'metadata.labels': (pod) => mapText(pod.metadata.labels),
  'metadata.annotations': (pod) => mapText(pod.metadata.annotations),
  'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
  'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? 'default',
  'status.podIP': () => podIp,
  'status.podIPs': () => podIp,
  'status.hostIP': () => podIp,
  'status.hostIPs': () => podIp,
};

/** As the kubelet writes labels to files: one `key="value"` per line, sorted. */
function mapText(values: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(values ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Value of a `resourceFieldRef`: the quantity in units of the divisor, rounded up; 0 without a limit. */
export function resourceValue(
  containers: readonly Container[],
  self: Container,
  ref: ResourceFieldRef,
): string {
  const container = containers.find((c) => c.name === ref.containerName) ?? self;
  const [kind, name] = ref.resource.split(/\.(.*)/s);
  const quantity = (kind === 'limits' ? container.resources?.limits : container.resources?.requests)?.[
    name ?? ''
  ];
  const divisor = quantityOf(ref.divisor ?? '1') || 1;
  return String(Math.ceil(quantityOf(quantity ?? '0') / divisor));
}

function quantityOf(text: string): number {
  const match = /^(\d+(?:\.\d*)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text);
  return match === null ? 0 : Number(match[1]) * (suffixes[match[2] ?? ''] ?? 1);
}
