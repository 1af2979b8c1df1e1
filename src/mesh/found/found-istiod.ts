import type { KubeObject } from '../../kube/api.ts';
import { textOf } from '../../kube/kube-object.ts';
import { type InjectedVault, injectedVault } from './injected-vault.ts';
import { podFacts } from './pod-template.ts';

/** A Deployment of istiod. */
export interface FoundIstiod {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly image: string;
  readonly rootCaDir: string;
  readonly trustDomain: string;
  /** Where its CA is injected from, if it is. */
  readonly vault: InjectedVault | undefined;
}

/** @param pods of all istiods: what the injector wrote into them is not in the Deployment */
export function foundIstiod(deployment: KubeObject, pods: readonly KubeObject[]): FoundIstiod {
  const facts = podFacts(deployment);
  const discovery = facts.containers.find(({ name }) => name === 'discovery') ?? facts.containers[0];
  const namespace = textOf(deployment.metadata.namespace);
  const own = pods.filter(({ metadata }) => metadata.namespace === namespace);
  return {
    namespace,
    name: deployment.metadata.name,
    serviceAccount: facts.serviceAccount || 'default',
    image: discovery?.image ?? '',
    rootCaDir: discovery?.env.ROOT_CA_DIR ?? '',
    trustDomain: discovery?.env.TRUST_DOMAIN ?? '',
    vault: injectedVault(facts, own),
  };
}
