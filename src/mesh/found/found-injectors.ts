import type { KubeObject } from '../../kube/api.ts';
import { textOf } from '../../kube/kube-object.ts';
import { isRecord } from '../../lib/records.ts';

/** Names of the webhook configurations that inject Vault agents: vault-k8s, or its stand-in. */
export function foundInjectors(configurations: readonly KubeObject[]): string[] {
  return configurations.flatMap(({ metadata, webhooks }) => {
    const hooks = Array.isArray(webhooks) ? webhooks.filter(isRecord) : [];
    return hooks.some(({ name }) => textOf(name) === 'vault.hashicorp.com') ? [metadata.name] : [];
  });
}
