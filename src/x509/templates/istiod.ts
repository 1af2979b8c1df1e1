import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import type { SigningIssuer } from '../issuer.ts';
import { issueIstioLeaf } from './workload.ts';

export interface IstiodServingOptions {
  readonly issuer: SigningIssuer;
  readonly publicKey: KeyObject;
  /** `istiod.<ns>.svc` and the other names under which istiod is reached. */
  readonly dns: readonly string[];
  /** istiod asks for ten years and lives with what the intermediate has left. */
  readonly ttl: number;
  readonly now: number;
}

/** istiod's own serving certificate: DNS names only, empty subject, clamped to the intermediate. */
export function issueIstiodServing(options: IstiodServingOptions): Promise<Certificate> {
  return issueIstioLeaf(options, { dns: options.dns });
}
