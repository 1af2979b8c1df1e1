import type { ServiceAccountTokens } from '../api/service-account-tokens.ts';
import { type Cluster, ControllerLoop } from './controller.ts';
import { deployments } from './deployments.ts';
import { endpoints } from './endpoints.ts';
import { garbage } from './garbage.ts';
import { namespaces } from './namespaces.ts';
import { replicaSets } from './replica-sets.ts';
import { rootCaPublisher } from './root-ca-publisher.ts';
import { scheduler } from './scheduler.ts';
import { serviceAccounts } from './service-accounts.ts';
import { tokenSecrets } from './token-secrets.ts';

/** Starts everything that a control plane does by itself. Returns the way to stop it. */
export function startControllers(cluster: Cluster, tokens: ServiceAccountTokens, caPem: string): () => void {
  const controllers = [
    serviceAccounts,
    rootCaPublisher(caPem),
    tokenSecrets(tokens, caPem),
    namespaces,
    garbage,
    deployments,
    replicaSets,
    scheduler,
    endpoints,
  ];
  const loops = controllers.map((controller) => new ControllerLoop(controller, cluster));
  return () => {
    for (const loop of loops) loop.close();
  };
}
