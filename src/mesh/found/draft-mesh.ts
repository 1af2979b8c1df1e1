import { stringify } from 'yaml';
import type { Certificate } from '../../x509/certificate.ts';
import { parseMesh } from '../load.ts';
import { clusterSchema, trustDomainSchema } from '../schema.ts';
import type { ClusterDraft } from './draft-cluster.ts';
import { plainLine } from './plain-line.ts';

export interface DraftAnswers {
  /** Given by a person: it is meant for every cluster. */
  readonly vault: string | undefined;
  /** Taken when no cluster tells of one. */
  readonly fallbackVault: string | undefined;
  readonly injector: boolean;
}

export interface MeshDraft {
  /** Of mesh.yaml, or undefined while nobody knows where Vault is. */
  readonly text: string | undefined;
  /** Of the root's certificate beside it. */
  readonly root: string | undefined;
  /** What concerns more than one cluster. */
  readonly warnings: readonly string[];
}

/** One mesh.yaml for what was found on all clusters; pure. It is as good as checked. */
export function draftMesh(clusters: readonly ClusterDraft[], answers: DraftAnswers): MeshDraft {
  const roots = commonRoots(clusters);
  const warnings = [...differentRoots(clusters), ...differentDomains(clusters)];
  const root = roots.length === 0 ? undefined : roots.map(({ pem }) => pem).join('');
  const vault =
    answers.vault ?? clusters.map(addressOf).find((address) => address !== '') ?? answers.fallbackVault;
  if (vault === undefined) return { text: undefined, root, warnings };
  const text = `${head(clusters, vault, warnings)}clusters:\n${clusters
    .map((cluster) => clusterText(cluster, vault, answers))
    .join('')}`;
  parseMesh(text, 'mesh.yaml');
  return { text, root, warnings };
}

function head(clusters: readonly ClusterDraft[], vault: string, warnings: readonly string[]): string {
  const domains = clusters.flatMap(({ config }) => config ?? []);
  const domain = domains.map(({ trustDomain }) => trustDomain).find(isTrustDomain) ?? 'cluster.local';
  const aliases = [...new Set(domains.flatMap(({ trustDomainAliases }) => trustDomainAliases))].filter(
    isTrustDomain,
  );
  return `# Made of what runs, by looking only: nothing was changed anywhere. It holds no secret.
# Read the lines that begin with "decide", then: meshroot plan
${comments('', 'warning', warnings)}apiVersion: meshroot/v1
kind: Mesh
trustDomain: ${flow(domain)}   # in every identity: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT; never change it later
${aliases.length === 0 ? '' : `trustDomainAliases: ${flow(aliases)}\n`}vault:
  address: ${flow(vault)}
root:
  offline: { cert: root-cert.pem }   # its key was not seen; wherever it is, it signs there (docs/offline-root.md)
  # import: { cert: root-cert.pem, key: root-key.pem }   # or, where you have its key: into Vault, never to leave it
`;
}

function clusterText(cluster: ClusterDraft, meshVault: string, answers: DraftAnswers): string {
  const { name, context, kubeconfig, found, decide, unseen, entry } = cluster;
  const vault = ownVault(cluster, meshVault, answers);
  const injector = answers.injector && !cluster.injector ? { namespace: 'vault' } : undefined;
  const words = { name, context, kubeconfig, ...entry, vault, injector };
  const lines = Object.entries(words)
    .filter(([, value]) => value !== undefined)
    .map(([key, value], i) => `${i === 0 ? '  - ' : '    '}${key}: ${flow(value)}\n`);
  const notes =
    comments('  ', 'found', found) + comments('  ', 'unseen', unseen) + comments('  ', 'decide', decide);
  return `${notes}${lines.join('')}`;
}

/** What a cluster says of Vault that the mesh does not. */
function ownVault(cluster: ClusterDraft, meshVault: string, { vault }: DraftAnswers): object | undefined {
  const address = addressOf(cluster);
  const namespace = cluster.vault?.namespace ?? '';
  const own = {
    ...(vault === undefined && address !== '' && address !== meshVault && { address }),
    ...(namespace !== '' && fits({ namespace }) && { namespace }),
  };
  return Object.keys(own).length === 0 ? undefined : own;
}

const addressOf = ({ vault }: ClusterDraft): string =>
  vault !== undefined && fits({ address: vault.address }) ? vault.address : '';

const fits = (vault: object): boolean =>
  JSON.stringify(vault).length < 2000 && clusterSchema.safeParse({ name: 'x', vault }).success;
const isTrustDomain = (text: string): boolean => trustDomainSchema.safeParse(text).success;

const comments = (indent: string, word: string, lines: readonly string[]): string =>
  lines.map((line) => `${indent}# ${word.padEnd(6)}  ${plainLine(line)}\n`).join('');

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim();

/** The roots of the cluster whose first root most clusters share. */
function commonRoots(clusters: readonly ClusterDraft[]): readonly Certificate[] {
  const rooted = clusters.filter(({ roots }) => roots.length > 0);
  const votes = (one: ClusterDraft) => rooted.filter((other) => firstRoot(other) === firstRoot(one)).length;
  return [...rooted].sort((a, b) => votes(b) - votes(a))[0]?.roots ?? [];
}

const firstRoot = ({ roots }: ClusterDraft): string | undefined => roots[0]?.fingerprint;

function differentRoots(clusters: readonly ClusterDraft[]): string[] {
  const rooted = clusters.filter(({ roots }) => roots.length > 0);
  if (new Set(rooted.map(firstRoot)).size < 2) return [];
  const each = rooted.map((cluster) => `${cluster.name} ${firstRoot(cluster)?.slice(0, 16)}`).join(', ');
  return [
    `the clusters do not share a root (sha256: ${each}): their workloads cannot verify each other; join the roots first (docs/replace-a-root.md), or make one mesh.yaml per root`,
  ];
}

function differentDomains(clusters: readonly ClusterDraft[]): string[] {
  const domains = clusters.flatMap(({ name, config }) => (config === undefined ? [] : [{ name, config }]));
  if (new Set(domains.map(({ config }) => config.trustDomain)).size < 2) return [];
  const each = domains.map(({ name, config }) => `${name} ${config.trustDomain}`).join(', ');
  return [`the clusters have different trust domains (${each}): one mesh.yaml has one`];
}
