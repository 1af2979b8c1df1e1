import { readFileSync } from 'node:fs';
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
  ask(call: Partial<CertificateCall> & { csr: string }): Promise<readonly string[]>;
}

/**
 * The target that the environment names, for instance a real istiod:
 * `CA_CONFORMANCE=host:port CA_CONFORMANCE_ROOT=root.pem CA_CONFORMANCE_TOKEN=… CA_CONFORMANCE_ACCOUNT=ns:sa CA_CONFORMANCE_CLUSTER=…`
 */
export function targetFromEnvironment(env = process.env): CaTarget | undefined {
  const address = env.CA_CONFORMANCE;
  if (address === undefined) return undefined;
  const rootPem = readFileSync(env.CA_CONFORMANCE_ROOT ?? 'root.pem', 'utf8');
  const [namespace = 'default', account = 'default'] = (
    env.CA_CONFORMANCE_ACCOUNT ?? 'default:default'
  ).split(':');
  return {
    kind: kindOf(env.CA_CONFORMANCE_KIND),
    rootPem,
    cluster: env.CA_CONFORMANCE_CLUSTER ?? 'Kubernetes',
    namespace,
    account,
    token: env.CA_CONFORMANCE_TOKEN ?? '',
    ask: (call) =>
      requestCertificate({
        address,
        serverName: 'istiod.istio-system.svc',
        rootPem,
        ttl: 3_600_000,
        ...call,
      }),
  };
}

function kindOf(name: string | undefined): CaTarget['kind'] {
  return name === 'meshroot' || name === 'meshroot-compat' ? name : 'istiod';
}
