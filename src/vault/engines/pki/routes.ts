import { type Backend, defineBackend } from '../../core/backend.ts';
import { acmeRoutes } from './acme-routes.ts';
import { configRoutes } from './config-routes.ts';
import { crlRoutes } from './crl-routes.ts';
import { importRoutes } from './import-routes.ts';
import { intermediateRoutes } from './intermediate-routes.ts';
import { issueRoutes } from './issue-routes.ts';
import { issuerRoutes } from './issuer-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { certificateRoute, readRoutes } from './read-routes.ts';
import { revokeLeased, revokeRoutes } from './revoke-routes.ts';
import { roleRoutes } from './role-routes.ts';
import { rootRoutes } from './root-routes.ts';
import { signListRoutes } from './sign-list-routes.ts';
import { createTidy } from './tidy.ts';
import { tidyRoutes } from './tidy-routes.ts';

/** PKI: roots and intermediates behind the barrier, roles, leaves, revocation. One for each mount. */
export function createPki(): Backend {
  const tidy = createTidy();
  return defineBackend({
    type: 'pki',
    revokeLease: revokeLeased,
    periodic: (context) => tidy.runIfDue(context),
    routes: [
      ...acmeRoutes(),
      ...issueRoutes(tidy),
      ...roleRoutes(),
      ...readRoutes(),
      ...crlRoutes(),
      certificateRoute,
      ...rootRoutes(),
      ...intermediateRoutes(),
      ...importRoutes(),
      ...revokeRoutes(),
      ...signListRoutes(),
      ...issuerRoutes(),
      ...keyRoutes(),
      ...configRoutes(),
      ...tidyRoutes(tidy),
    ],
  });
}
