import {
  type CertificateCall,
  CertificateConnection,
  type CertificateQuestion,
  requestCertificate,
} from '../../src/istio/workload-request.ts';

type Ask<Call> = (call: Partial<Call> & { csr: string }) => Promise<readonly string[]>;

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
  /** Requests of the case that asks many at once; a thousand when not told. */
  readonly atOnce?: number;
  /** One call on a connection of its own. */
  readonly ask: Ask<CertificateCall>;
  /** A connection for many calls. */
  connect(): { readonly ask: Ask<CertificateQuestion>; close(): void };
}

export interface RemoteTarget extends Omit<CaTarget, 'ask' | 'connect'> {
  /** host:port */
  readonly address: string;
}

const ttl = 3_600_000;

/** A server at an address, for instance a real istiod. */
export function remoteTarget({ address, ...target }: RemoteTarget): CaTarget {
  const peer = { address, serverName: 'istiod.istio-system.svc', rootPem: target.rootPem };
  return {
    ...target,
    ask: (call) => requestCertificate({ ...peer, ttl, ...call }),
    connect: () => {
      const connection = new CertificateConnection(peer);
      return {
        ask: (call) => connection.ask({ ttl, ...call }),
        close: () => connection.close(),
      };
    },
  };
}
