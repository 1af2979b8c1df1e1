import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { fullPath } from '../../core/mount-entry.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { Mounted } from '../../core/router.ts';
import type { Granted } from '../../policy/merge-rules.ts';
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
    const view = auth === undefined ? brief : mountFields;
    return Object.fromEntries(mounts.map((mounted) => [mounted.entry.path, view(mounted)]));
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
  return { data: { ...mountFields(mounted), path: mounted.entry.path } };
}

/** Rules with a `+` are in neither list, as upstream has it. */
function resultantAcl({ auth }: Context): Result | undefined {
  if (auth === undefined) return undefined;
  if (auth.acl.isRoot) return { data: { root: true } };
  const shown = (rules: ReadonlyMap<string, Granted>): object =>
    Object.fromEntries([...rules].map(([path, rule]) => [path, ruleFields(rule)]));
  const [exact_paths, glob_paths] = [shown(auth.acl.exactPaths()), shown(auth.acl.prefixPaths())];
  return { data: { root: false, exact_paths, glob_paths } };
}

const shownCapabilities = ['create', 'delete', 'list', 'read', 'sudo', 'update', 'patch', 'scan'] as const;

function ruleFields({
  capabilities,
  minWrappingTtl,
  maxWrappingTtl,
  allowed,
  denied,
  required,
}: Granted): object {
  const given = shownCapabilities.filter((one) => capabilities.has(one));
  return {
    capabilities: given.length === 0 ? ['deny'] : given,
    ...(minWrappingTtl === undefined ? {} : { min_wrapping_ttl: minWrappingTtl }),
    ...(maxWrappingTtl === undefined ? {} : { max_wrapping_ttl: maxWrappingTtl }),
    ...(isEmpty(allowed) ? {} : { allowed_parameters: allowed }),
    ...(isEmpty(denied) ? {} : { denied_parameters: denied }),
    ...(isEmpty(required) ? {} : { required_parameters: required }),
  };
}

const isEmpty = (rules: object | undefined): boolean =>
  rules === undefined || Object.keys(rules).length === 0;
