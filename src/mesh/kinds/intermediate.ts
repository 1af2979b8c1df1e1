import type { IstioBundle } from '../../istio/bundle.ts';
import { judgeBundle } from '../../istio/bundle-lint.ts';
import { humanDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { readBundle } from '../../rotation/kv-bundle.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { bundleKvPath } from '../names.ts';
import { storeNewIntermediate } from '../new-intermediate.ts';
import { clusterVault, type DecideContext, type Decision, keep, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { readRoot } from './root.ts';

interface Observed {
  readonly bundle: IstioBundle | undefined;
  readonly root: Certificate | undefined;
}

/** The intermediate CA of a cluster, as the four-key bundle that its istiod reads. */
export function intermediateResource(mesh: Mesh, cluster: MeshCluster): Resource<Observed> {
  const path = bundleKvPath(cluster);
  const { keyType, ttl } = cluster.intermediate;
  return {
    group: cluster.name,
    label: `intermediate ${path}`,
    summary: `${keyType}, ${humanDuration(ttl)}, signed by ${mesh.root.mount}`,
    observe: async (reach) => ({
      bundle: await readBundle(clusterVault(reach, cluster.name), path).catch(missingMount),
      root: await readRoot(reach, mesh.root.mount),
    }),
    decide: (observed, context) => decideIntermediate(cluster, observed, context),
    write: (reach) => storeNewIntermediate(mesh, cluster, reach),
  };
}

function decideIntermediate(
  cluster: MeshCluster,
  { bundle, root }: Observed,
  { now }: DecideContext,
): Decision {
  if (bundle === undefined) return { kind: 'add', lines: [] };
  const [finding] = judgeBundle(bundle, now);
  const found = parseCertificate(bundle.caCert);
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
  if (finding !== undefined) {
    return {
      kind: 'change',
      lines: [`- ${finding.message}`, `+ a new intermediate, ${humanDuration(cluster.intermediate.ttl)}`],
    };
  }
  return warnOfAge(cluster, found, now);
}

function warnOfAge({ intermediate }: MeshCluster, found: Certificate, now: number): Decision {
  const renewAt = found.notBefore + (found.notAfter - found.notBefore) * intermediate.renewAt;
  if (now < renewAt) return keep;
  const left = humanDuration(found.notAfter - now);
  return {
    kind: 'keep',
    warning: `intermediate expires ${isoDay(found.notAfter)} (${left}): meshroot rotate intermediate`,
  };
}
