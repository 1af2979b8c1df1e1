import { collisions } from './collisions.ts';
import { gatewayRole } from './kinds/access.ts';
import { clusterNames } from './names.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/** A key of one cluster, and what is wrong with it. */
export interface Unusable {
  /** Index of the cluster. */
  readonly cluster: number;
  /** Below the cluster. */
  readonly path: readonly PropertyKey[];
  /** @param key what a person calls the place */
  text(key: string): string;
}

/** What no schema can say: names are used once, patterns are spelt out, and nobody gets what another one has. */
export function unusable(mesh: Mesh): Unusable[] {
  const found = [...twins(mesh.clusters), ...mesh.clusters.flatMap((cluster, i) => alone(mesh, cluster, i))];
  if (found.length > 0) return found;
  return collisions(mesh).map(({ cluster, message }) => ({ cluster, path: ['name'], text: () => message }));
}

function twins(clusters: readonly MeshCluster[]): Unusable[] {
  const first = new Map<string, number>();
  return clusters.flatMap(({ name }, i) => {
    if (!first.has(name)) first.set(name, i);
    return first.get(name) === i
      ? []
      : [{ cluster: i, path: ['name'], text: (key: string) => `${key} is taken by an earlier cluster` }];
  });
}

function alone(mesh: Mesh, cluster: MeshCluster, i: number): Unusable[] {
  const { name } = cluster;
  const of = (path: readonly PropertyKey[], text: Unusable['text']): Unusable => ({ cluster: i, path, text });
  return [
    ...(name.includes('{') ? [of(['name'], (key) => `${key} has {n} but no each: { from, to }`)] : []),
    ...(name.length > 63 ? [of(['name'], (key) => `${key} is longer than 63 characters`)] : []),
    ...keylessProblems(mesh, cluster).map(({ path, text }) => of(path, () => `${name}: ${text}`)),
    ...sharedRoles(cluster).map(({ path, text }) => of(path, () => `${name}: ${text}`)),
  ];
}

interface Below {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** Roles are one table for istiod, gateways and everybody else: of two with one name the later would take the place. */
function sharedRoles(cluster: MeshCluster): Below[] {
  const taken = new Set([clusterNames(cluster).role]);
  const roles = [
    ...cluster.access.map(({ name }, i) => ({ role: name, path: ['access', i, 'name'] })),
    ...cluster.gateways.map(({ name }, i) => ({ role: gatewayRole(name), path: ['gateways', i, 'name'] })),
  ];
  return roles.flatMap(({ role, path }) =>
    taken.size === taken.add(role).size ? [{ path, text: `there is a role ${role} already` }] : [],
  );
}

/** What cannot be where no file with a key leaves Vault. */
function keylessProblems({ root }: Mesh, { intermediate, istiod, access }: MeshCluster): Below[] {
  if (intermediate.delivery !== 'keyless') return [];
  const here = ['intermediate', 'delivery'];
  const rules: readonly (readonly [boolean, readonly PropertyKey[], string])[] = [
    [root.offline !== undefined, here, 'delivery: keyless needs a root in vault, not an offline one'],
    [
      intermediate.import !== undefined,
      ['intermediate', 'import'],
      'delivery: keyless makes its own key, and imports none',
    ],
    [istiod.deploy !== undefined, here, 'delivery: keyless is for meshroot ca; istiod needs delivery: file'],
    ...access.map(
      ({ name, can, path }, i) =>
        [
          can !== 'audit' && path === undefined,
          ['access', i],
          `access ${name} needs a path, for delivery: keyless has no bundle`,
        ] as const,
    ),
  ];
  return rules.flatMap(([broken, path, text]) => (broken ? [{ path, text }] : []));
}
