import { stringify } from 'yaml';
import type { Clock } from '../lib/clock.ts';
import { days, hours } from '../lib/duration.ts';
import { Secret } from '../lib/secret.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueClient } from '../x509/templates/client.ts';
import { createRoot } from '../x509/templates/root.ts';
import { issueServing } from '../x509/templates/serving.ts';

/** A certificate of the cluster's CA and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: Secret<string>;
}

/** The CA of one cluster: who its API server, its nodes and its administrators are. */
export interface ClusterAuthority {
  readonly caPem: string;
  serving(dns: readonly string[], ips: readonly string[]): Promise<Identity>;
  client(commonName: string, organizations: readonly string[]): Promise<Identity>;
  /** Holds a private key of a new client of that name. */
  kubeconfig(cluster: string, url: string, user: string, groups: readonly string[]): Promise<Secret<string>>;
}

/** Names by which pods and programs address every API server. */
export const kubernetesNames: readonly string[] = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

const rootTtl = days(3650);
const leafTtl = days(365);

/** A new CA with a key of its own, in memory. */
export async function createClusterAuthority(clock: Clock): Promise<ClusterAuthority> {
  const pair = await generateKeyPair('ec-p256');
  const subject = [{ type: 'CN', value: 'kubernetes' }];
  const certificate = await createRoot({ key: pair, subject, ttl: rootTtl, now: clock.now() - hours(1) });
  const issuer: Issuer = { certificate, privateKey: pair.privateKey };
  const client = (commonName: string, organizations: readonly string[]) =>
    clientIdentity(issuer, commonName, organizations, clock.now());
  return {
    caPem: certificate.pem,
    client,
    serving: (dns, ips) => servingIdentity(issuer, dns, ips, clock.now()),
    kubeconfig: async (cluster, url, user, groups) =>
      kubeconfigText(cluster, url, certificate.pem, user, await client(user, groups)),
  };
}

async function servingIdentity(
  issuer: Issuer,
  dns: readonly string[],
  ips: readonly string[],
  now: number,
): Promise<Identity> {
  const { publicKey, privateKey } = await generateKeyPair('ec-p256');
  const commonName = dns[0] ?? '';
  const { pem } = await issueServing({ issuer, publicKey, dns, ips, ttl: leafTtl, now, commonName });
  return { certificate: pem, key: privateKeyPem(privateKey) };
}

async function clientIdentity(
  issuer: Issuer,
  commonName: string,
  organizations: readonly string[],
  now: number,
): Promise<Identity> {
  const { publicKey, privateKey } = await generateKeyPair('ec-p256');
  const { pem } = await issueClient({ issuer, publicKey, commonName, organizations, ttl: leafTtl, now });
  return { certificate: pem, key: privateKeyPem(privateKey) };
}

function kubeconfigText(
  name: string,
  url: string,
  caPem: string,
  user: string,
  identity: Identity,
): Secret<string> {
  const known = `${user}@${name}`; // joined in one KUBECONFIG, of two users with one name only the first counts
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const credentials = {
    'client-certificate-data': encode(identity.certificate),
    'client-key-data': encode(identity.key.reveal()),
  };
  return new Secret(
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: url, 'certificate-authority-data': encode(caPem) } }],
      users: [{ name: known, user: credentials }],
      contexts: [{ name, context: { cluster: name, user: known } }],
      'current-context': name,
    }),
  );
}
