import { parseDocument } from 'yaml';
import type { KubeObject } from '../../kube/api.ts';
import { recordOf, textOf } from '../../kube/kube-object.ts';

/** The parts of Istio's mesh configuration that are part of every identity. */
export interface MeshConfig {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

/** Istio's limit for it is that of a ConfigMap; what is larger is none. */
const maxText = 1024 * 1024;

/**
 * Reads the key `mesh` of the ConfigMaps `istio` and `istio-REVISION`; undefined when none of them names a trust domain.
 * @see https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
 */
export function meshConfig(configMaps: readonly KubeObject[]): MeshConfig | undefined {
  for (const { metadata, data } of configMaps) {
    if (metadata.name === 'istio-ca-root-cert') continue;
    const { trustDomain, trustDomainAliases } = parsed(textOf(recordOf(data).mesh));
    if (typeof trustDomain !== 'string' || trustDomain === '') continue;
    const aliases = Array.isArray(trustDomainAliases) ? trustDomainAliases : [];
    return { trustDomain, trustDomainAliases: aliases.filter((alias) => typeof alias === 'string') };
  }
  return undefined;
}

function parsed(text: string): Record<string, unknown> {
  if (text === '' || text.length > maxText) return {};
  try {
    return recordOf(parseDocument(text, { logLevel: 'silent' }).toJS({ maxAliasCount: 100 }));
  } catch {
    return {};
  }
}
