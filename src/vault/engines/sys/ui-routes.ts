import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { fullPath } from '../../core/mount-entry.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { Mounted } from '../../core/router.ts';
import { mountFields } from './mount-view.ts';

/** What clients ask before the real call: which engine, which version, what may I do. */
export function uiRoutes(): Route[] {
  return [
    { path: 'internal/ui/mounts', open: true, operations: { read: visibleMounts } },
    { path: 'internal/ui/mounts/*path', open: true, operations: { read: preflight } },
    { path: 'internal/ui/resultant-acl', operations: { read: resultantAcl } },
  ];
}

function visibleMounts({ services, auth }: Context): Result {
  const shown = (kind: 'secret' | 'auth'): object => {
    const mounts = services.router.all(kind).filter((mounted) => {
      const unauthenticated = mounted.entry.config.listing_visibility === 'unauth';
      return unauthenticated || auth?.acl.grantsBelow(fullPath(mounted.entry)) === true;
    });
    return Object.fromEntries(mounts.map((mounted) => [mounted.entry.path, brief(mounted)]));
  };
  return { data: { secret: shown('secret'), auth: shown('auth') } };
}

function brief(mounted: Mounted): object {
  const { entry } = mounted;
  return { type: entry.type, description: entry.description, options: entry.options };
}

/** A 404 would make a client believe in kv version 1, so that what is missing and what is forbidden are both 403. */
function preflight({ services, auth, fields }: Context): Result {
  if (auth === undefined) throw denied('token-missing', 'no valid token was sent');
  const path = textOf(fields, 'path');
  const mounted = services.router.find(path);
  if (mounted === undefined || !auth.acl.grantsBelow(fullPath(mounted.entry))) {
    const text = `preflight capability check returned 403, please ensure client's policies grant access to path "${path.replace(/\/?$/, '/')}"`;
    throw refuse(text, 403, 'policy');
  }
  return { data: { ...mountFields(mounted), path: fullPath(mounted.entry) } };
}

function resultantAcl({ auth }: Context): Result | undefined {
  if (auth === undefined) return undefined;
  const exact = [...auth.acl.exactPaths()].map(([path, rule]) => [
    path,
    { capabilities: [...rule.capabilities] },
  ]);
  return { data: { root: auth.acl.isRoot, exact_paths: Object.fromEntries(exact), glob_paths: {} } };
}
