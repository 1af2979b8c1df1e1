import { judgeBundle, lintBundleCertificates } from '../../istio/bundle-lint.ts';
import { humanDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { decideImport, type ImportedCa, importSummary, seeImport } from '../imported-ca.ts';
import { isKeyless } from '../keyless.ts';
import { bundleKvPath, clusterNames, kvMetadataPath } from '../names.ts';
import { storeNewIntermediate } from '../new-intermediate.ts';
import {
  advanceOffline,
  decideOffline,
  dropRequest,
  isAnswered,
  type OfflineRequest,
  seeOfflineRequest,
} from '../offline-request.ts';
import { offlineRoot } from '../offline-root.ts';
import { isOurMount } from '../ownership.ts';
import { clusterVault, type DecideContext, type Decision, keep, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';
import { nothingSeen, type SeenBundle, seeBundle } from '../see-bundle.ts';
import { storeImported } from '../store-bundle.ts';
import { type MountRow, mountRow } from './mounts.ts';
import { rootOf } from './root.ts';

interface Observed extends SeenBundle {
  readonly root: Certificate | undefined;
  readonly offline: OfflineRequest | undefined;
  readonly mount: MountRow | undefined;
  readonly imported: ImportedCa | undefined;
}

/** The intermediate CA of a cluster, as the four-key bundle that its istiod reads. */
export function intermediateResource(mesh: Mesh, cluster: MeshCluster): Resource<Observed> {
  const keyless = isKeyless(cluster);
  const { secretsMount, pkiMount } = clusterNames(cluster);
  const [path, place] = keyless ? [pkiMount, pkiMount] : [bundleKvPath(cluster), secretsMount];
  const { keyType, ttl } = cluster.intermediate;
  const signer = mesh.root.offline === undefined ? mesh.root.mount : 'the offline root';
  return {
    group: cluster.name,
    label: `intermediate ${path}`,
    summary:
      importSummary(cluster) ??
      `${keyType}, ${humanDuration(ttl)}, signed by ${signer}${keyless ? ', its key stays in vault' : ''}`,
    waits: mesh.root.offline !== undefined,
    observe: async (reach) => {
      const mount = await mountRow(clusterVault(reach, cluster.name), 'sys/mounts', place);
      const seen = mount === undefined ? nothingSeen : await seeBundle(cluster, reach);
      return {
        ...seen,
        root: (await rootOf(mesh, reach)) ?? (await rootToBe(mesh)),
        offline: await seeOfflineRequest(mesh, cluster, reach),
        mount,
        imported: await seeImport(cluster, reach, seen.bundle !== undefined),
      };
    },
    decide: (observed, context) => decideIntermediate(cluster, observed, context),
    write: async (reach, { offline, bundle, imported }) => {
      if (imported?.bundle !== undefined) await storeImported(mesh, cluster, reach, imported.bundle);
      else if (offline === undefined) await storeNewIntermediate(mesh, cluster, reach);
      else if (bundle !== undefined && isAnswered(offline, parseCertificate(bundle.caCert)))
        await dropRequest(cluster, reach);
      else await advanceOffline(mesh, cluster, reach, offline);
    },
    undo: {
      // In a mount of meshroot's own it goes with the mount.
      exists: ({ bundle, mount }) => bundle !== undefined && !isOurMount(mount),
      made: ({ bundle, record }) =>
        !keyless && record?.bundleIsOurs === true && record.caCert === bundle?.caCert,
      remove: async (reach) => {
        await dropRequest(cluster, reach);
        const { bundlePath } = clusterNames(cluster);
        await clusterVault(reach, cluster.name).delete(kvMetadataPath(cluster, bundlePath));
        return undefined;
      },
    },
  };
}

/** The root that this very plan would put into Vault. */
const rootToBe = async ({ root }: Mesh): Promise<Certificate | undefined> =>
  root.import && (await offlineRoot(root.import.cert));

function decideIntermediate(
  cluster: MeshCluster,
  { bundle, root, offline, imported }: Observed,
  { now }: DecideContext,
): Decision {
  const anew = (): Decision | undefined => offline && decideOffline(offline, cluster, now);
  if (bundle === undefined && imported !== undefined) return decideImport(imported, root, cluster, now);
  if (bundle === undefined) return anew() ?? { kind: 'add', lines: [] };
  if (root !== undefined && parseCertificate(bundle.rootCert).fingerprint !== root.fingerprint) {
    const error = new MeshrootError(
      'root-mismatch',
      `the bundle of ${cluster.name} hangs from another root than the mesh's`,
      {
        hint: 'changing a root cuts off running workloads, so apply never does it: docs/replace-a-root.md',
        exit: 1,
      },
    );
    return { kind: 'refuse', error };
  }
  const finding = fault(bundle, now);
  if (finding !== undefined) {
    const lines = [`- ${finding}`, `+ a new intermediate, ${humanDuration(cluster.intermediate.ttl)}`];
    return anew() ?? { kind: 'change', lines };
  }
  const found = parseCertificate(bundle.caCert);
  if (offline?.request !== undefined) {
    return isAnswered(offline, found)
      ? { kind: 'change', lines: ['- its request, which has been answered'] }
      : { kind: 'keep', warning: `a successor is asked for: meshroot rotate intermediate ${cluster.name}` };
  }
  const aged = warnOfAge(cluster, found, now);
  return aged === keep && imported?.leftover !== undefined
    ? { kind: 'keep', warning: imported.leftover }
    : aged;
}

/** Why istiod could not use it, as far as can be seen. */
function fault(bundle: NonNullable<SeenBundle['bundle']>, now: number): string | undefined {
  const { caKey } = bundle;
  const findings =
    caKey === undefined
      ? lintBundleCertificates(bundle, now).filter(({ severity }) => severity !== 'warning')
      : judgeBundle({ ...bundle, caKey }, now);
  return findings[0]?.message;
}

function warnOfAge({ name, intermediate }: MeshCluster, found: Certificate, now: number): Decision {
  const renewAt = found.notBefore + (found.notAfter - found.notBefore) * intermediate.renewAt;
  if (now < renewAt) return keep;
  const left = humanDuration(found.notAfter - now);
  return {
    kind: 'keep',
    warning: `intermediate expires ${isoDay(found.notAfter)} (${left}): meshroot rotate intermediate ${name}`,
  };
}
