import { type Backend, defineBackend } from '../../core/backend.ts';
import { auditRoutes } from './audit-routes.ts';
import { auditedHeaderRoutes } from './audited-header-routes.ts';
import { capabilityRoutes } from './capability-routes.ts';
import { corsRoutes } from './cors-routes.ts';
import { generateRootRoutes } from './generate-root-routes.ts';
import { leaseRoutes } from './lease-routes.ts';
import { lockedUserRoutes } from './locked-user-routes.ts';
import { mountRoutes } from './mount-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { quotaRoutes } from './quota-routes.ts';
import { rekeyRoutes } from './rekey-routes.ts';
import { remountRoutes } from './remount-routes.ts';
import { rotationRoutes } from './rotation-routes.ts';
import { snapshotRoutes } from './snapshot-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { uiRoutes } from './ui-routes.ts';
import { wrappingRoutes } from './wrapping-routes.ts';

/** The store's own controls. What concerns sealing itself answers without a barrier and stands in core/lifecycle. */
export function createSys(): Backend {
  return defineBackend({
    type: 'system',
    routes: [
      ...mountRoutes(),
      ...policyRoutes(),
      ...capabilityRoutes(),
      ...leaseRoutes(),
      ...auditRoutes(),
      ...auditedHeaderRoutes(),
      ...wrappingRoutes(),
      ...uiRoutes(),
      ...remountRoutes(),
      ...quotaRoutes(),
      ...lockedUserRoutes(),
      ...corsRoutes(),
      ...nodeRoutes(),
      ...rotationRoutes(),
      ...rekeyRoutes(),
      ...generateRootRoutes(),
      ...snapshotRoutes(),
      ...systemRoutes(),
    ],
  });
}
