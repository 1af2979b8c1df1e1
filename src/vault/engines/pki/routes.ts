import { type Backend, defineBackend } from '../../core/backend.ts';
import { issueRoutes } from './issue-routes.ts';
import { readRoutes } from './read-routes.ts';

/** PKI: a root that stays behind the barrier and signs intermediates. */
export function createPki(): Backend {
  return defineBackend({ type: 'pki', routes: [...issueRoutes(), ...readRoutes()] });
}
