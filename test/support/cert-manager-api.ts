import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/kube/api.ts';

const group = 'cert-manager.io';
const apiVersion = `${group}/v1`;
const namespace = 'istio-system';
const plurals: Readonly<Record<string, string>> = {
  Issuer: 'issuers',
  ClusterIssuer: 'clusterissuers',
  Certificate: 'certificates',
};

/** A CA issuer of cert-manager and the Certificate that makes its key, as the pages of istio-csr set them up. */
export const istioCa: readonly KubeObject[] = [
  { apiVersion, kind: 'Issuer', metadata: { name: 'selfsigned', namespace }, spec: { selfSigned: {} } },
  {
    apiVersion,
    kind: 'Certificate',
    metadata: { name: 'istio-ca', namespace },
    spec: {
      isCA: true,
      duration: '1440h',
      renewBefore: '360h',
      secretName: 'istio-ca',
      privateKey: { algorithm: 'ECDSA', size: 384 },
      issuerRef: { name: 'selfsigned', kind: 'Issuer', group },
    },
  },
  {
    apiVersion,
    kind: 'Issuer',
    metadata: { name: 'istio-ca', namespace },
    spec: { ca: { secretName: 'istio-ca' } },
  },
];

/**
 * The sandbox has no custom resources: this stands before its API server, lists the objects of cert-manager and hands on all the
 * rest. Changes the server of the context `name` in the kubeconfig.
 */
export async function withCertManager(
  kubeconfig: string,
  name: string,
  objects: readonly KubeObject[],
): Promise<{ close(): void }> {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const { cluster } = config.clusters.find((one: { name: string }) => one.name === name);
  const { user } = config.users.find((one: { name: string }) => one.name === `admin-${name}`);
  const behind = cluster.server as string;
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  const tls = {
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
  const server = createServer((incoming, outgoing) => {
    const own = answerOf(incoming.url ?? '', objects);
    if (own !== undefined) outgoing.setHeader('content-type', 'application/json').end(JSON.stringify(own));
    else handOn(incoming, outgoing, behind, tls);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cluster.server = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answerOf(url: string, objects: readonly KubeObject[]): object | undefined {
  const base = `/apis/${apiVersion}`;
  const { pathname } = new URL(url, 'http://x');
  if (pathname === base) {
    const resources = Object.entries(plurals).map(([kind, plural]) => ({
      name: plural,
      kind,
      namespaced: kind !== 'ClusterIssuer',
    }));
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources };
  }
  const kind = Object.keys(plurals).find((one) => pathname === `${base}/${plurals[one]}`);
  if (kind === undefined) return undefined;
  const items = objects.filter((object) => object.kind === kind);
  return { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '1' }, items };
}

function handOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  behind: string,
  tls: { ca: Buffer; cert: Buffer; key: Buffer },
): void {
  const { method, headers } = incoming;
  const { host: _, ...rest } = headers;
  const onward = request(
    new URL(incoming.url ?? '/', behind),
    { ...tls, method, headers: rest },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}
