import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { presentedChain } from '../istio/presented-chain.ts';
import { humanDuration } from '../lib/duration.ts';
import { readRoot } from '../mesh/kinds/root.ts';
import { bundleKvPath } from '../mesh/names.ts';
import { branchLines, certificateRow } from '../mesh/tree-rows.ts';
import { readBundle } from '../rotation/kv-bundle.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type RunningCluster, type RunningSystem, vaultOf } from './system.ts';

/** The chain of trust as it is right now: each certificate, what is left of it, where its key lives, who reads it. */
export async function trustTree(system: RunningSystem): Promise<string[]> {
  const now = system.clock.now();
  const root = await readRoot({ vault: vaultOf(system) }, system.mesh.root.mount);
  if (root === undefined) return ['there is no root yet'];
  const branches = await Promise.all(system.clusters.map((cluster) => branch(system, cluster, now)));
  const title = certificateRow(
    'Root CA',
    root,
    now,
    `key: vault ${system.mesh.root.mount}, not exportable`,
    25,
  );
  return [title, ...branches.flatMap((lines, i) => branchLines(lines, i === branches.length - 1))];
}

async function branch(system: RunningSystem, cluster: RunningCluster, now: number): Promise<string[]> {
  const { namespace, serviceAccount } = cluster.wanted.istiod;
  const bundle = await readBundle(vaultOf(system), bundleKvPath(cluster));
  if (bundle === undefined) return [`${cluster.name}  no bundle`];
  const readers = `key: vault kv + istiod memory   readers: ${serviceAccount}@${namespace}`;
  const serverName = `istiod.${namespace}.svc`;
  const [serving] = await presentedChain({
    address: cluster.istiodAddress,
    serverName,
    rootPem: bundle.rootCert,
  });
  const leaves = await Promise.all(
    cluster.workloads.map(({ folder }) => readFile(join(folder, 'cert-chain.pem'), 'utf8')),
  );
  const [soonest] = leaves.map((pem) => parseCertificate(pem)).sort((a, b) => a.notAfter - b.notAfter);
  return [
    certificateRow(cluster.name, parseCertificate(bundle.caCert), now, readers),
    ...(serving === undefined ? [] : [`├─ ${certificateRow('istiod', serving, now, '', 19)}`]),
    ...(soonest === undefined
      ? []
      : [`└─ ${certificateRow(`${leaves.length} workloads`, soonest, now, renewal(soonest), 19)}`]),
  ];
}

const renewal = ({ notBefore, notAfter }: Certificate): string =>
  `renew at ${humanDuration((notAfter - notBefore) / 2)}`;
