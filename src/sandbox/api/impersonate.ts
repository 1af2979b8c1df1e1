import type { ApiRequest } from './exchange.ts';
import { forbiddenText, type Rbac } from './rbac.ts';
import { StatusError } from './status-error.ts';
import { serviceAccountOf, type UserInfo } from './user.ts';

/**
 * The user that a request speaks as: its own, or with `Impersonate-User` (kubectl --as) another's, when it may.
 * @throws StatusError 403
 */
export function impersonate(request: ApiRequest, user: UserInfo, rbac: Rbac): UserInfo {
  const name = request.headers['impersonate-user'];
  if (name === undefined || name === '') return user;
  const account = serviceAccountOf(name);
  const groups = (request.headers['impersonate-group'] ?? '')
    .split(',')
    .map((g) => g.trim())
    .filter((g) => g !== '');
  if (account === undefined) check(user, rbac, 'users', '', name);
  else check(user, rbac, 'serviceaccounts', account.namespace, account.name);
  for (const group of groups) check(user, rbac, 'groups', '', group);
  const own =
    account === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  const all = new Set([...groups, ...(groups.length === 0 ? own : []), 'system:authenticated']);
  if (name === 'system:anonymous') return { username: name, groups: ['system:unauthenticated'] };
  return { username: name, groups: [...all] };
}

function check(user: UserInfo, rbac: Rbac, resource: string, namespace: string, name: string): void {
  const wanted = { verb: 'impersonate', group: '', resource, subresource: '', namespace, name };
  if (rbac.authorize(user, wanted).allowed) return;
  const message = `${resource} "${name}" is forbidden: ${forbiddenText(user, wanted)}`;
  throw new StatusError(403, 'Forbidden', message, { name, kind: resource });
}
