import { codeOf, MeshrootError } from '../../lib/errors.ts';
import { judgeMeshLifetimes } from '../../mesh/kinds/lifetimes.ts';
import { sharedContexts } from '../../mesh/kinds/shared-contexts.ts';
import { loadMesh } from '../../mesh/load.ts';
import type { Mesh, MeshCluster } from '../../mesh/schema.ts';
import { vaultPlace } from '../../mesh/vault-place.ts';
import type { Finding } from '../../x509/finding.ts';
import type { ScanFinding } from './input.ts';

/** What a mesh.yaml would bring about that is wrong or dangerous, without asking any Vault or cluster. */
export async function judgeMeshFile(path: string): Promise<ScanFinding[]> {
  try {
    const mesh = await loadMesh(path);
    return [...copies(mesh), ...mesh.clusters.flatMap((cluster) => judgeCluster(mesh, cluster))].map(
      (finding) => ({ ...finding, file: path }),
    );
  } catch (error) {
    if (!(error instanceof MeshrootError) || codeOf(error) !== 'bad-mesh-file') throw error;
    return error.message.split('\n').map((line) => mistake(line, path));
  }
}

/** `file:line:column  what`, each at its own place. */
function mistake(line: string, path: string): ScanFinding {
  const [file = path, ...what] = line.split(/ {2}/);
  return { code: 'bad-mesh-file', message: what.join('  ') || line, file };
}

function judgeCluster(mesh: Mesh, cluster: MeshCluster): Finding[] {
  const { name } = cluster;
  const lifetimes = judgeMeshLifetimes(mesh, cluster).map(
    (finding): Finding => ({
      ...finding,
      message: `${name}: ${finding.message}`,
      ...(finding.code === 'ttl-cut-short' && { severity: 'warning' }),
    }),
  );
  return [...lifetimes, ...inClear(mesh, cluster), ...storedReviewer(cluster), ...otherReaders(cluster)];
}

const copies = (mesh: Mesh): Finding[] =>
  sharedContexts(mesh).map((message) => ({
    code: 'clusters-share-context',
    message,
    hint: 'give each its own context or kubeconfig',
    severity: 'warning',
  }));

function inClear(mesh: Mesh, cluster: MeshCluster): Finding[] {
  const { address } = vaultPlace(mesh, cluster);
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:' || /^(localhost|127\..*|\[::1\])$/.test(hostname)) return [];
  const message = `${cluster.name}: ${address} has no TLS; tokens, and the CA's key, go over the wire in clear`;
  return [
    { code: 'vault-without-tls', message, hint: 'give Vault a certificate, and vault.caCert its authority' },
  ];
}

function storedReviewer({ name, reviewer }: MeshCluster): Finding[] {
  if (reviewer !== 'stored') return [];
  const message = `${name}: a token that does not end is kept in a Secret and in Vault (reviewer: stored)`;
  return [
    {
      code: 'stored-reviewer-token',
      message,
      hint: 'reviewer: client or jwks need none',
      severity: 'warning',
    },
  ];
}

/** A bundle has the CA's key in it: who reads it can be every workload of the cluster. */
function otherReaders({ name, access }: MeshCluster): Finding[] {
  const readers = access.filter(({ can, path }) => can === 'read' && path === undefined);
  return readers.map((reader) => ({
    code: 'ca-key-readers',
    message: `${name}: access ${reader.name} reads the bundle, and so the CA's key`,
    hint: 'name the entry that it needs with path, or let it write or audit',
    severity: 'warning' as const,
  }));
}
