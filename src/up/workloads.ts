import { request } from 'node:http';
import type { KubeObject } from '../kube/api.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';

export const workloadNamespace = 'demo';

/** Service accounts of the demonstration on cluster number `index` (from 0); each is an identity of its own. */
export function workloadAccounts(index: number): readonly string[] {
  const named = [
    ['shop', 'stock'],
    ['pay', 'mail'],
  ];
  return named[index] ?? [`shop-${index + 1}`, `stock-${index + 1}`];
}

/** A running workload, reached through its control port on loopback. */
export interface Workload {
  readonly cluster: string;
  readonly account: string;
  readonly spiffeId: string;
  /** Where its mTLS server listens. */
  readonly port: number;
  readonly control: WorkloadControl;
  /** Where its certificate, key and root are on this machine. */
  readonly folder: string;
}

export interface Peer {
  readonly host: string;
  readonly port: number;
  /** The SPIFFE ID that must answer. */
  readonly expect: string;
}

export interface Handshake {
  readonly ok: boolean;
  readonly peer?: string;
  readonly error?: string;
}

export interface WorkloadStats {
  readonly ok: number;
  readonly failed: number;
  readonly lastError: string | undefined;
  /** Serial of the workload's certificate and of the intermediate above it, lower-case hex. */
  readonly serial: string;
  readonly issuerSerial: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** What `meshroot workload --control` answers. */
export class WorkloadControl {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async handshake(peer: Peer): Promise<Handshake> {
    const reply = await this.#call('POST', '/handshake', peer);
    return { ok: reply.ok === true, ...textField(reply, 'peer'), ...textField(reply, 'error') };
  }

  /** Shakes hands with all `peers` over and over; an empty list stops. */
  async keepShaking(peers: readonly Peer[], intervalMs: number): Promise<void> {
    await this.#call('POST', '/peers', { peers, intervalMs });
  }

  /** Fetches a fresh certificate now. */
  async renew(): Promise<void> {
    await this.#call('POST', '/renew', {});
  }

  async stats(): Promise<WorkloadStats> {
    const reply = await this.#call('GET', '/stats');
    const certificate = isRecord(reply.certificate) ? reply.certificate : {};
    return {
      ok: Number(reply.ok ?? 0),
      failed: Number(reply.failed ?? 0),
      lastError: typeof reply.lastError === 'string' ? reply.lastError : undefined,
      serial: String(certificate.serial ?? ''),
      issuerSerial: String(certificate.issuerSerial ?? ''),
      notAfter: Number(certificate.notAfter ?? 0),
    };
  }

  #call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port: this.#port, method, path, timeout: 15_000 },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve(toRecord(text)));
        },
      );
      call.on('error', reject);
      call.on('timeout', () =>
        call.destroy(new MeshrootError('workload-silent', 'a workload does not answer')),
      );
      if (body !== undefined) call.setHeader('content-type', 'application/json');
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function textField<K extends string>(record: Record<string, unknown>, key: K): { [key in K]?: string } {
  const value = record[key];
  return typeof value === 'string' ? ({ [key]: value } as { [key in K]?: string }) : {};
}

function toRecord(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

export interface WorkloadPorts {
  readonly serve: number;
  readonly control: number;
}

/** Namespace, service account and Deployment of one workload: it asks its cluster's istiod for a certificate. */
export function workloadManifests(options: {
  readonly account: string;
  readonly cluster: string;
  readonly trustDomain: string;
  readonly istiodAddress: string;
  readonly ports: WorkloadPorts;
}): KubeObject[] {
  const { account } = options;
  const namespace = workloadNamespace;
  const labels = { app: account };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: account, namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(options) },
      },
    },
  ];
}

/** Mounts what Istio's sidecar template mounts: the istio-ca token, the root ConfigMap, a place for certificates. */
function podSpec(options: Parameters<typeof workloadManifests>[0]): object {
  const { account, cluster, trustDomain, istiodAddress, ports } = options;
  const env = {
    CA_ADDR: istiodAddress,
    TRUST_DOMAIN: trustDomain,
    ISTIO_META_CLUSTER_ID: cluster,
    OUTPUT_CERTS: '/etc/certs',
    CA_ROOT_CA: '/var/run/secrets/istio/root-cert.pem',
    TOKEN: '/var/run/secrets/tokens/istio-token',
    SERVICE_ACCOUNT: account,
  };
  return {
    serviceAccountName: account,
    containers: [
      {
        name: 'workload',
        image: 'meshroot/workload:1',
        args: [`--listen=127.0.0.1:${ports.serve}`, `--control=127.0.0.1:${ports.control}`],
        env: [
          ...Object.entries(env).map(([name, value]) => ({ name, value })),
          { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        ],
        readinessProbe: { tcpSocket: { host: '127.0.0.1', port: ports.serve }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'istio-token', mountPath: '/var/run/secrets/tokens' },
          { name: 'istiod-ca-cert', mountPath: '/var/run/secrets/istio' },
          { name: 'certs', mountPath: '/etc/certs' },
        ],
      },
    ],
    volumes: [
      {
        name: 'istio-token',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'istio-token', audience: 'istio-ca', expirationSeconds: 43200 } },
          ],
        },
      },
      { name: 'istiod-ca-cert', configMap: { name: 'istio-ca-root-cert' } },
      { name: 'certs', emptyDir: { medium: 'Memory' } },
    ],
  };
}
