import { bundleVerifies, istiodUsesInjectedBundle } from './bundle.ts';
import type { SystemCheck } from './check.ts';
import { auditShowsDenials, crossClusterRead, metricsShowDenials, wrongServiceAccount } from './denials.ts';
import { mtlsAcrossClusters, mtlsSameCluster } from './handshakes.ts';
import { restartKeepsRoot, rotationKeepsHandshakes } from './life.ts';
import { noKeyInKubernetes } from './no-key-in-kubernetes.ts';

/** Every check of a running system, in the order in which they run; the denials come before those that look for them. */
export const allChecks: readonly SystemCheck[] = [
  istiodUsesInjectedBundle,
  noKeyInKubernetes,
  bundleVerifies,
  mtlsSameCluster,
  mtlsAcrossClusters,
  crossClusterRead,
  wrongServiceAccount,
  auditShowsDenials,
  restartKeepsRoot,
  rotationKeepsHandshakes,
  metricsShowDenials,
];
