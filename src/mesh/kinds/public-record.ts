import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { isOurMount } from '../ownership.ts';
import { deleteRecord, recordPath, writeRecord } from '../public-record.ts';
import { clusterVault, type Decision, decideByLines, keep, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';
import { nothingSeen, type SeenBundle, seeBundle } from '../see-bundle.ts';
import { type MountRow, mountRow } from './mounts.ts';

interface Observed extends SeenBundle {
  readonly mount: MountRow | undefined;
}

/** The certificates of the bundle for those who must not see its key: auditors, plans of pipelines, status. */
export function publicRecordResource(mesh: Mesh, cluster: MeshCluster): Resource<Observed> {
  return {
    group: cluster.name,
    label: `certificates ${recordPath(cluster)}`,
    summary: 'of the intermediate, without its key',
    observe: async (reach) => {
      const { secretsMount } = clusterNames(cluster);
      const mount = await mountRow(clusterVault(reach, cluster.name), 'sys/mounts', secretsMount);
      return { ...(mount === undefined ? nothingSeen : await seeBundle(cluster, reach)), mount };
    },
    decide: (observed) => decide(mesh, cluster, observed),
    write: async (reach, { bundle, record }) => {
      if (bundle !== undefined)
        await writeRecord(
          mesh,
          cluster,
          reach,
          bundle,
          record?.caCert === bundle.caCert && record.bundleIsOurs,
        );
    },
    undo: {
      exists: ({ record, mount }) => record !== undefined && !isOurMount(mount),
      made: () => true,
      remove: async (reach) => {
        await deleteRecord(cluster, reach);
        return undefined;
      },
    },
  };
}

function decide(mesh: Mesh, cluster: MeshCluster, seen: SeenBundle): Decision {
  const { bundle, record } = seen;
  if (bundle === undefined && mesh.root.offline !== undefined) return keep; // comes with the signature
  const before = record?.trustDomain ?? mesh.trustDomain;
  const moved = before !== mesh.trustDomain;
  if (moved && !mesh.trustDomainAliases.includes(before)) return otherTrustDomain(cluster, before, mesh);
  const renamed = moved ? [`- trust domain ${before}`, `+ trust domain ${mesh.trustDomain}`] : [];
  return decideByLines(record !== undefined, [...renamed, ...differences(seen)]);
}

/** Every identity of the mesh starts with it: workloads of the old name and of the new one would not know each other. */
function otherTrustDomain({ name }: MeshCluster, before: string, { trustDomain }: Mesh): Decision {
  const message = `${name} is live in trust domain ${before}, mesh.yaml says ${trustDomain}`;
  const hint = `keep the old name valid with trustDomainAliases: [${before}], or put trustDomain: ${before} back`;
  return { kind: 'refuse', error: new MeshrootError('trust-domain-changed', message, { hint, exit: 1 }) };
}

function differences({ bundle, record, stale }: SeenBundle): string[] {
  if (bundle === undefined || record === undefined) return [];
  const same =
    !stale &&
    bundle.caCert === record.caCert &&
    bundle.certChain === record.certChain &&
    bundle.rootCert === record.rootCert;
  return same ? [] : ['~ the bundle was written since'];
}
