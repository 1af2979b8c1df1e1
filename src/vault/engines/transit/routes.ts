import { type Backend, defineBackend } from '../../core/backend.ts';
import { backupRoutes } from './backup-routes.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { cryptRoutes } from './crypt-routes.ts';
import { deriveKeyRoutes } from './derive-key-routes.ts';
import { exportRoutes } from './export-routes.ts';
import { hashRoutes } from './hash-routes.ts';
import { importRoutes } from './import-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { signRoutes } from './sign-routes.ts';

/** Transit: encryption and signatures by keys that stay behind the barrier. */
export function createTransit(): Backend {
  return defineBackend({
    type: 'transit',
    routes: [
      ...cryptRoutes(),
      ...signRoutes(),
      ...hashRoutes(),
      ...importRoutes(),
      ...exportRoutes(),
      ...certificateRoutes(),
      ...deriveKeyRoutes(),
      ...backupRoutes(),
      ...keyRoutes(),
    ],
  });
}
