import { RotationJournal } from '../rotation/journal.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { missingMount } from './kinds/auth-config.ts';
import { storeNewIntermediate } from './new-intermediate.ts';
import type { Reach } from './resource.ts';
import { rotateIntermediate } from './rotate-intermediate.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { seeBundle } from './see-bundle.ts';

/** When an intermediate has to be renewed: after the part of its life that mesh.yaml names; ms since the epoch. */
export function renewAt(
  { intermediate }: Pick<MeshCluster, 'intermediate'>,
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
): number {
  return notBefore + (notAfter - notBefore) * intermediate.renewAt;
}

export type Renewal =
  | { readonly kind: 'none' }
  /** Due, or begun and not finished. */
  | { readonly kind: 'rotate' }
  /** Due, but where istiod answers is not known: stored for its agent, and nobody watches the delivery. */
  | { readonly kind: 'store' }
  /** Due, and the root is on a machine without a network: a person has to sign. */
  | { readonly kind: 'sign-offline' };

/** What the intermediate needs; pure. */
export function decideRenewal(
  mesh: Pick<Mesh, 'root'>,
  cluster: Pick<MeshCluster, 'intermediate' | 'istiod'>,
  seen: { readonly current: Certificate; readonly unfinished: boolean; readonly now: number },
): Renewal {
  const due = seen.now >= renewAt(cluster, seen.current);
  if (!due && !seen.unfinished) return { kind: 'none' };
  if (mesh.root.offline !== undefined) return { kind: 'sign-offline' };
  if (cluster.istiod.address !== undefined) return { kind: 'rotate' };
  return due ? { kind: 'store' } : { kind: 'none' };
}

/** The intermediate that Vault holds for a cluster and what it needs; undefined while there is none. */
export async function seeRenewal(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
): Promise<{ readonly current: Certificate; readonly renewal: Renewal } | undefined> {
  const { bundle } = await seeBundle(cluster, reach);
  if (bundle === undefined) return undefined;
  const current = parseCertificate(bundle.caCert);
  const state = (await new RotationJournal(reach.vault, cluster.name).read().catch(missingMount))?.state;
  const unfinished = state !== undefined && state.phase !== 'confirmed';
  const renewal = decideRenewal(mesh, cluster, { current, unfinished, now: reach.clock.now() });
  return { current, renewal };
}

/**
 * Renews (or goes on renewing) an intermediate as decided.
 * @throws MeshrootError as rotateIntermediate and storeNewIntermediate
 */
export async function renew(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  { kind, signal, say }: { kind: 'rotate' | 'store'; signal: AbortSignal; say: (text: string) => void },
): Promise<void> {
  if (kind === 'store') return storeNewIntermediate(mesh, cluster, reach);
  await rotateIntermediate(mesh, cluster.name, reach, {
    signal,
    restart: false,
    report: (step) => {
      if (step.do === 'enter') say(`${step.phase} ${step.newSerial}`);
    },
  });
}
