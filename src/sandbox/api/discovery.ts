import type { Accepted } from './accept.ts';
import type { Fields } from './fields.ts';
import { groupVersionOf, type Kind, kinds } from './kinds.ts';

/** What `kubectl version` shows; the minor is that of the Kubernetes release whose behaviour is followed. */
export const serverVersion: Fields = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.0+meshroot',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
};

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const groups = [...new Set(kinds.filter((k) => k.group !== '').map((k) => k.group))];

/** The answer to a discovery path (`/api`, `/apis`, `/api/v1`, `/apis/GROUP[/VERSION]`), or undefined for others. */
export function discover(path: string, accepted: Accepted): Fields | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, first, second, ...more] = parts;
  if (more.length > 0 || (root !== 'api' && root !== 'apis')) return undefined;
  if (root === 'api') {
    if (first === undefined) return aggregated(accepted, '') ?? legacyVersions;
    return first === 'v1' && second === undefined ? resourceList('v1') : undefined;
  }
  if (first === undefined) return aggregated(accepted, 'named') ?? groupList();
  if (!groups.includes(first)) return undefined;
  return second === undefined ? groupOf(first) : resourceList(`${first}/${second}`);
}

const legacyVersions: Fields = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
};

function groupList(): Fields {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map((name) => ({ ...groupOf(name), kind: undefined, apiVersion: undefined })),
  };
}

function groupOf(name: string): Fields {
  const versions = versionsOf(name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { kind: 'APIGroup', apiVersion: 'v1', name, versions, preferredVersion: versions[0] };
}

const versionsOf = (group: string): string[] => [
  ...new Set(kinds.filter((k) => k.group === group).map((k) => k.version)),
];

function resourceList(groupVersion: string): Fields | undefined {
  const served = kinds.filter((k) => groupVersionOf(k) === groupVersion);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: served.flatMap((k) => [resource(k), ...k.subresources.map((sub) => subresource(k, sub))]),
  };
}

const verbsOf = (kind: Kind): string[] => (kind.transient ? ['create'] : storedVerbs);

const resource = (k: Kind): Fields => ({
  name: k.plural,
  singularName: k.singular,
  namespaced: k.namespaced,
  kind: k.kind,
  verbs: verbsOf(k),
  ...(k.shortNames.length > 0 ? { shortNames: k.shortNames } : {}),
  ...(k.categories.length > 0 ? { categories: k.categories } : {}),
});

interface SubresourceFacts {
  readonly verbs: readonly string[];
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
}

const subresourceFacts: Readonly<Record<string, SubresourceFacts>> = {
  status: { verbs: ['get', 'patch', 'update'] },
  finalize: { verbs: ['update'] },
  log: { verbs: ['get'] },
  binding: { verbs: ['create'], kind: 'Binding' },
  token: { verbs: ['create'], group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
  scale: { verbs: ['get', 'patch', 'update'], group: 'autoscaling', version: 'v1', kind: 'Scale' },
};

function subresource(k: Kind, name: string): Fields {
  const { verbs, group, version, kind } = subresourceFacts[name] ?? { verbs: [] };
  return {
    name: `${k.plural}/${name}`,
    singularName: '',
    namespaced: k.namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind: kind ?? k.kind,
    verbs,
  };
}

/** APIGroupDiscoveryList, when the client asks for it: all of `/api` or `/apis` in one answer. */
function aggregated(accepted: Accepted, which: '' | 'named'): Fields | undefined {
  if (accepted.as !== 'APIGroupDiscoveryList' || accepted.version !== 'v2') return undefined;
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: (which === '' ? [''] : groups).map((name) => ({
      metadata: name === '' ? {} : { name },
      versions: versionsOf(name).map((version) => ({
        version,
        freshness: 'Current',
        resources: kinds.filter((k) => k.group === name && k.version === version).map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource(k: Kind): Fields {
  return {
    resource: k.plural,
    responseKind: { group: k.group, version: k.version, kind: k.kind },
    scope: k.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: k.singular,
    verbs: verbsOf(k),
    shortNames: k.shortNames,
    categories: k.categories,
    subresources: k.subresources.map((name) => {
      const facts = subresourceFacts[name] ?? { verbs: [] };
      return {
        subresource: name,
        responseKind: {
          group: facts.group ?? k.group,
          version: facts.version ?? k.version,
          kind: facts.kind ?? k.kind,
        },
        verbs: facts.verbs,
      };
    }),
  };
}
