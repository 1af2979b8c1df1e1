import { type Backend, defineBackend } from '../../core/backend.ts';
import { aliasRoutes } from './alias-routes.ts';
import { entityRoutes } from './entity-routes.ts';
import { groupAliasRoutes } from './group-alias-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { mergeRoutes } from './merge-routes.ts';

/** Who the callers are, whatever way they log in. */
export function createIdentity(): Backend {
  return defineBackend({
    type: 'identity',
    routes: [...entityRoutes(), ...mergeRoutes(), ...aliasRoutes(), ...groupRoutes(), ...groupAliasRoutes()],
  });
}
