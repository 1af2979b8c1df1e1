import type { VaultClient } from '../../client/vault-client.ts';
import type { BundleCertificates, IstioBundle } from '../../istio/bundle.ts';
import type { KubeApi } from '../../kube/api.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Reach, Resource } from '../../mesh/resource.ts';
import type { Mesh, MeshCluster } from '../../mesh/schema.ts';

/** What the hops of one walk have in their hands; each may lean on what earlier ones found. */
export interface Walk {
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  readonly reach: Reach;
  /** As the caller of doctor sees it. */
  readonly vault: VaultClient;
  /** What mesh.yaml wants of this cluster. */
  readonly resources: readonly Resource[];
  kube?: KubeApi;
  /** Of istiod's service account, for Vault. */
  jwt?: Secret<string>;
  /** Vault as istiod sees it. */
  login?: VaultClient;
  bundle?: BundleCertificates & Partial<Pick<IstioBundle, 'caKey'>>;
}

/** One link of the chain. `check` says in one line what it saw; it reads only. */
export interface Hop {
  readonly name: string;
  /** @throws MeshrootError why the link is broken, with the fix as its hint; or {@link notSeen} */
  check(walk: Walk): Promise<string>;
}

/** The link cannot be looked at, or is none of this mesh; the walk goes on. */
export class NotSeen extends MeshrootError {
  /** True where there is nothing to look at, false where this user may not look. */
  readonly isFine: boolean;

  constructor(why: string, isFine: boolean) {
    super('not-seen', why);
    this.isFine = isFine;
  }
}

/** A hop's refusal. @param fix what to do about it */
export const broken = (why: string, fix: string, cause?: unknown): MeshrootError =>
  new MeshrootError('link-broken', why, { hint: fix, exit: 1, cause });

/** What an earlier hop left, which stands before this one in the list. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new NotSeen('an earlier link was not looked at', false);
  return value;
}
