import { hours, minutes } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { Finding } from '../../x509/finding.ts';
import { defaultRenewRatio, judgeWanted, outlives } from '../../x509/validity-rule.ts';
import { type Decision, keep, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';
import { rootOf } from './root.ts';

/** Istio's default (DEFAULT_WORKLOAD_CERT_TTL), renewed by pilot-agent at half of it. */
const workloadTtl = hours(24);
/** The role's token_ttl; Vault Agent renews at two thirds. */
const vaultToken = { name: "the agent's Vault token", ttl: hours(1), renewAfter: minutes(40) };

/** Not a thing but a rule (invariant 2): what mesh.yaml asks for has to nest, and the living root has to last. */
export function lifetimesResource(
  mesh: Mesh,
  cluster: MeshCluster,
): Resource<{ rootEnds: number | undefined }> {
  return {
    group: cluster.name,
    label: 'lifetimes',
    summary: 'workload <= intermediate <= root, leases reach their renewal',
    observe: async (reach) => ({ rootEnds: (await rootOf(mesh, reach))?.notAfter }),
    decide: ({ rootEnds }, { now }) => decideLifetimes(mesh, cluster, rootEnds, now),
    write: async () => {},
  };
}

/** Whether what mesh.yaml asks for nests, whatever there is already. */
export function judgeMeshLifetimes(
  mesh: Mesh,
  { intermediate }: Pick<MeshCluster, 'intermediate'>,
): Finding[] {
  const { ttl, renewAt } = intermediate;
  return judgeWanted(
    [
      { name: 'the root', ttl: mesh.root.ttl, renewAfter: mesh.root.ttl * defaultRenewRatio },
      { name: 'the intermediate', ttl, renewAfter: ttl * renewAt },
      { name: 'a workload certificate', ttl: workloadTtl, renewAfter: workloadTtl * defaultRenewRatio },
    ],
    [vaultToken],
  );
}

function decideLifetimes(
  mesh: Mesh,
  { intermediate }: Pick<MeshCluster, 'intermediate'>,
  rootEnds: number | undefined,
  now: number,
): Decision {
  const { ttl } = intermediate;
  const findings = judgeMeshLifetimes(mesh, { intermediate });
  const broken = findings.find(({ code }) => code !== 'ttl-cut-short');
  if (broken !== undefined) return refuse(broken.code, broken.message, broken.hint);
  if (rootEnds !== undefined && outlives({ notAfter: now + ttl }, { notAfter: rootEnds })) {
    return refuse(
      'outlives-issuer',
      'an intermediate of this ttl would outlive the root',
      'shorten intermediate.ttl, or rotate the root first',
    );
  }
  const [warning] = findings;
  return warning === undefined ? keep : { kind: 'keep', warning: `${warning.message}: ${warning.hint}` };
}

function refuse(code: string, message: string, hint: string | undefined): Decision {
  return {
    kind: 'refuse',
    error: new MeshrootError(code, message, { exit: 1, ...(hint === undefined ? {} : { hint }) }),
  };
}
