import { type CertificateCall, requestCertificate } from '../../src/istio/workload-request.ts';

/** A certificate service to be judged: ours, or any other that listens somewhere. */
export interface CaTarget {
  readonly kind: 'meshroot' | 'meshroot-compat' | 'istiod';
  readonly rootPem: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly account: string;
  /** A token of that account. */
  readonly token: string;
  /** Vault's PKI engine signs: it gives each leaf a subject key id. */
  readonly vaultSigns?: boolean;
  ask(call: Partial<CertificateCall> & { csr: string }): Promise<readonly string[]>;
}

export interface RemoteTarget extends Omit<CaTarget, 'ask'> {
  /** host:port */
  readonly address: string;
}

/** A server at an address, for instance a real istiod. */
export function remoteTarget({ address, ...target }: RemoteTarget): CaTarget {
  const { rootPem } = target;
  const ask: CaTarget['ask'] = (call) =>
    requestCertificate({ address, serverName: 'istiod.istio-system.svc', rootPem, ttl: 3_600_000, ...call });
  return { ...target, ask };
}
