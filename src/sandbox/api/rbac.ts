import { type ApiObject, isFields, listAt, textAt, textsAt } from './fields.ts';
import type { Store } from './store.ts';
import type { UserInfo } from './user.ts';

/** What someone wants to do: with an object, or with a path such as /metrics. */
export type Attributes = ResourceAttributes | PathAttributes;

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

export interface PathAttributes {
  readonly verb: string;
  readonly path: string;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** A rule that reaches a user, with the binding that says so; `namespace` empty: everywhere. */
export interface GrantedRule {
  readonly rule: PolicyRule;
  readonly namespace: string;
  readonly reason: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

const rbacResources = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
  (plural) => `${plural}.rbac.authorization.k8s.io`,
);

/** Evaluates RBAC (rbac.authorization.k8s.io/v1) over the objects in the store. `system:masters` may do everything. */
export class Rbac {
  readonly #store: Store;
  readonly #granted = new Map<string, readonly GrantedRule[]>();

  constructor(store: Store) {
    this.#store = store;
    for (const resource of rbacResources) store.subscribe(resource, () => this.#granted.clear());
  }

  authorize(user: UserInfo, attributes: Attributes): Decision {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
    for (const granted of this.rulesFor(user)) {
      if (granted.namespace !== '' && ('path' in attributes || granted.namespace !== attributes.namespace))
        continue;
      if (ruleAllows(granted.rule, attributes)) return { allowed: true, reason: granted.reason };
    }
    return { allowed: false, reason: '' };
  }

  /** Every rule that reaches the user by any binding. */
  rulesFor(user: UserInfo): readonly GrantedRule[] {
    const key = JSON.stringify([user.username, user.groups]);
    const known = this.#granted.get(key);
    if (known !== undefined) return known;
    const rules = [...this.#clusterWide(user), ...this.#namespaced(user)];
    if (this.#granted.size > 1000) this.#granted.clear();
    this.#granted.set(key, rules);
    return rules;
  }

  #clusterWide(user: UserInfo): GrantedRule[] {
    return this.#store.list('clusterrolebindings.rbac.authorization.k8s.io').flatMap((binding) => {
      const subject = subjectOf(binding, user);
      if (subject === undefined) return [];
      const role = textAt(binding, 'roleRef', 'name');
      const reason = `RBAC: allowed by ClusterRoleBinding "${binding.metadata.name}" of ClusterRole "${role}" to ${subject}`;
      return this.#rules('clusterroles', '', role).map((rule) => ({ rule, namespace: '', reason }));
    });
  }

  #namespaced(user: UserInfo): GrantedRule[] {
    return this.#store.list('rolebindings.rbac.authorization.k8s.io').flatMap((binding) => {
      const subject = subjectOf(binding, user);
      if (subject === undefined) return [];
      const namespace = binding.metadata.namespace ?? '';
      const name = textAt(binding, 'roleRef', 'name');
      const kind = textAt(binding, 'roleRef', 'kind');
      const reason = `RBAC: allowed by RoleBinding "${binding.metadata.name}/${namespace}" of ${kind} "${name}" to ${subject}`;
      const rules =
        kind === 'ClusterRole'
          ? this.#rules('clusterroles', '', name)
          : this.#rules('roles', namespace, name);
      return rules.map((rule) => ({ rule, namespace, reason }));
    });
  }

  #rules(plural: string, namespace: string, name: string): PolicyRule[] {
    const role = this.#store.get(`${plural}.rbac.authorization.k8s.io`, namespace, name);
    return listAt(role, 'rules').filter(isFields).map(parseRule);
  }
}

function parseRule(rule: unknown): PolicyRule {
  return {
    verbs: textsAt(rule, 'verbs'),
    apiGroups: textsAt(rule, 'apiGroups'),
    resources: textsAt(rule, 'resources'),
    resourceNames: textsAt(rule, 'resourceNames'),
    nonResourceURLs: textsAt(rule, 'nonResourceURLs'),
  };
}

/** The subject of a binding that the user is, as texts of decisions name it. */
function subjectOf(binding: ApiObject, user: UserInfo): string | undefined {
  for (const subject of listAt(binding, 'subjects')) {
    const name = textAt(subject, 'name');
    const kind = textAt(subject, 'kind');
    if (kind === 'User' && name === user.username) return `User "${name}"`;
    if (kind === 'Group' && user.groups.includes(name)) return `Group "${name}"`;
    if (kind === 'ServiceAccount') {
      const namespace = textAt(subject, 'namespace') || (binding.metadata.namespace ?? '');
      if (user.username === `system:serviceaccount:${namespace}:${name}`) {
        return `ServiceAccount "${name}/${namespace}"`;
      }
    }
  }
  return undefined;
}

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

/** Whether one rule covers a request (k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go). */
export function ruleAllows(rule: PolicyRule, wanted: Attributes): boolean {
  if (!has(rule.verbs, wanted.verb)) return false;
  if ('path' in wanted) {
    return rule.nonResourceURLs.some(
      (url) =>
        url === '*' || url === wanted.path || (url.endsWith('*') && wanted.path.startsWith(url.slice(0, -1))),
    );
  }
  const combined = wanted.subresource === '' ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  const resource =
    has(rule.resources, combined) ||
    (wanted.subresource !== '' && rule.resources.includes(`*/${wanted.subresource}`));
  if (!resource || !has(rule.apiGroups, wanted.group)) return false;
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name);
}

/** The end of a 403: who cannot do what where. */
export function forbiddenText(user: UserInfo, wanted: Attributes): string {
  if ('path' in wanted) return `User "${user.username}" cannot ${wanted.verb} path "${wanted.path}"`;
  const resource = wanted.subresource === '' ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  const where = wanted.namespace === '' ? 'at the cluster scope' : `in the namespace "${wanted.namespace}"`;
  return `User "${user.username}" cannot ${wanted.verb} resource "${resource}" in API group "${wanted.group}" ${where}`;
}
