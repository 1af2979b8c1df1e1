import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleFiles, type IstioBundle } from '../../istio/bundle.ts';
import { judgeBundle } from '../../istio/bundle-lint.ts';
import { presentedChain } from '../../istio/presented-chain.ts';
import { isRecord } from '../../lib/records.ts';
import { Secret } from '../../lib/secret.ts';
import { readRoot } from '../../mesh/kinds/root.ts';
import { bundleKvPath } from '../../mesh/names.ts';
import { readBundle } from '../../rotation/kv-bundle.ts';
import { parseCertificate, parseCertificates } from '../../x509/certificate.ts';
import { judgeChain } from '../../x509/chain.ts';
import { type RunningCluster, type RunningSystem, vaultOf } from '../system.ts';
import { must, type SystemCheck } from './check.ts';

export const istiodUsesInjectedBundle: SystemCheck = {
  name: 'istiod-uses-injected-bundle',
  run: async (system) => {
    const serials = await Promise.all(system.clusters.map((cluster) => usesInjected(system, cluster)));
    return `issuers ${serials.join(', ')}, delivered by vault-agent-init`;
  },
};

/**
 * istiod's pod was injected, its files verify as a set, they are what Vault holds (or the last good ones, when what Vault
 * holds is unusable), and what istiod serves hangs from that very intermediate.
 */
async function usesInjected(system: RunningSystem, cluster: RunningCluster): Promise<string> {
  await mustBeInjected(cluster);
  const delivered = await deliveredBundle(cluster);
  const [finding] = judgeBundle(delivered, system.clock.now());
  must(finding === undefined, `istiod of ${cluster.name} was given a bad bundle: ${finding?.message}`);
  const { serial, fingerprint } = parseCertificate(delivered.caCert);
  const stored = await storedBundle(system, cluster);
  const usable = judgeBundle(stored, system.clock.now()).length === 0;
  must(
    !usable || parseCertificate(stored.caCert).fingerprint === fingerprint,
    `istiod of ${cluster.name} has another intermediate than Vault`,
  );
  const serverName = `istiod.${cluster.wanted.istiod.namespace}.svc`;
  const rootPem = delivered.rootCert;
  const [, issuer] = await presentedChain({ address: cluster.istiodAddress, serverName, rootPem });
  must(
    issuer?.serial === serial,
    `istiod of ${cluster.name} serves under ${issuer?.serial}, its files hold ${serial}`,
  );
  return `${cluster.name} ${serial.slice(0, 8)}…`;
}

async function storedBundle(system: RunningSystem, cluster: RunningCluster): Promise<IstioBundle> {
  const stored = await readBundle(vaultOf(system), bundleKvPath(cluster));
  must(stored !== undefined, `Vault holds no bundle of ${cluster.name}`);
  return stored;
}

async function mustBeInjected({ name, kube, wanted }: RunningCluster): Promise<void> {
  const [pod] = await kube.list(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace: wanted.istiod.namespace, labelSelector: 'app=istiod' },
  );
  const status = pod?.metadata.annotations?.['vault.hashicorp.com/agent-inject-status'];
  must(status === 'injected', `istiod's pod of ${name} was not injected`);
  const init = isRecord(pod?.spec) && Array.isArray(pod.spec.initContainers) ? pod.spec.initContainers : [];
  must(
    isRecord(init[0]) && init[0].name === 'vault-agent-init',
    `istiod's pod of ${name} does not start with vault-agent-init`,
  );
}

/** The four files as istiod of the cluster sees them. */
export async function deliveredBundle(cluster: RunningCluster) {
  const { namespace } = cluster.wanted.istiod;
  const folder = await cluster.hostPath({
    namespace,
    app: 'istiod',
    container: 'discovery',
    mountPath: '/vault/secrets',
  });
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return {
    caKey: new Secret(await read(bundleFiles.caKey)),
    caCert: await read(bundleFiles.caCert),
    certChain: await read(bundleFiles.certChain),
    rootCert: await read(bundleFiles.rootCert),
  };
}

export const bundleVerifies: SystemCheck = {
  name: 'bundle-verifies',
  run: async (system) => {
    const now = system.clock.now();
    const root = await readRoot({ vault: vaultOf(system) }, system.mesh.root.mount);
    must(root !== undefined, 'the mesh has no root');
    for (const cluster of system.clusters) {
      const bundle = await storedBundle(system, cluster);
      const [finding] = judgeBundle(bundle, now);
      must(finding === undefined, `the bundle of ${cluster.name} in Vault: ${finding?.message}`);
      const same = parseCertificate(bundle.rootCert).fingerprint === root.fingerprint;
      must(same, `the bundle of ${cluster.name} hangs from another root than ${system.mesh.root.mount}`);
      await workloadsVerify(cluster, bundle.rootCert, now);
    }
    return 'every bundle in Vault, every workload certificate with the root alone';
  },
};

async function workloadsVerify(
  { workloads, name }: RunningCluster,
  rootPem: string,
  now: number,
): Promise<void> {
  for (const { folder, spiffeId } of workloads) {
    const [leaf, ...intermediates] = parseCertificates(
      await readFile(join(folder, 'cert-chain.pem'), 'utf8'),
    );
    must(leaf !== undefined, `${spiffeId} of ${name} has no certificate`);
    const [finding] = judgeChain({
      leaf,
      intermediates,
      roots: [parseCertificate(rootPem)],
      now,
      purpose: 'server',
    });
    must(finding === undefined, `${spiffeId} of ${name}: ${finding?.message}`);
    must(
      leaf.sans.uri.join() === spiffeId,
      `${spiffeId} of ${name} got a certificate for ${leaf.sans.uri.join()}`,
    );
  }
}
