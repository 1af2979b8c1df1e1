import type { Certificate } from '../x509/certificate.ts';
import type { MeshCluster } from './schema.ts';

/** When an intermediate has to be renewed: after the part of its life that mesh.yaml names; ms since the epoch. */
export function renewAt({ intermediate }: MeshCluster, { notBefore, notAfter }: Certificate): number {
  return notBefore + (notAfter - notBefore) * intermediate.renewAt;
}
