import { groupVersionOf, type Kind, kindOfPlural } from './kinds.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A request for objects, read from its path and method. */
export interface ResourceRequest {
  readonly kind: Kind;
  readonly verb: Verb;
  /** Empty: cluster scope, or all namespaces. */
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  readonly subresource: string;
}

const verbs: Readonly<Record<string, Verb>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/**
 * Reads `/api/v1/namespaces/NS/pods/NAME/log` or `/apis/apps/v1/deployments`; undefined when it is not a path of a
 * served kind. `watch` is the query's `watch=true`.
 */
export function parseResourcePath(path: string, method: string, watch: boolean): ResourceRequest | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const root = parts.shift();
  if (root !== 'api' && root !== 'apis') return undefined;
  const groupVersion = root === 'api' ? parts.shift() : `${parts.shift()}/${parts.shift()}`;
  const scoped = parts[0] === 'namespaces' && parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '');
  const namespace = scoped ? (parts[1] ?? '') : '';
  const [plural = '', name = '', subresource = '', ...more] = scoped ? parts.slice(2) : parts;
  const kind = kindOfPlural(groupVersion ?? '', plural);
  if (kind === undefined || more.length > 0 || (scoped && !kind.namespaced)) return undefined;
  if (subresource !== '' && !kind.subresources.includes(subresource)) return undefined;
  return { kind, verb: verbOf(method, name, watch), namespace, name, subresource };
}

const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not percent-encoded text: no object has such a name
  }
}

function verbOf(method: string, name: string, watch: boolean): Verb {
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  if (method !== 'GET' && method !== 'HEAD') return verbs[method] ?? 'get';
  if (watch) return 'watch';
  return name === '' ? 'list' : 'get';
}

/** The path that serves an object or a collection of a kind. */
export function pathOf(kind: Kind, namespace: string, name = '', subresource = ''): string {
  const root = kind.group === '' ? '/api' : '/apis';
  const scope = kind.namespaced && namespace !== '' ? `/namespaces/${namespace}` : '';
  const tail = [name, subresource].filter((part) => part !== '').map((part) => `/${part}`);
  return `${root}/${groupVersionOf(kind)}${scope}/${kind.plural}${tail.join('')}`;
}
