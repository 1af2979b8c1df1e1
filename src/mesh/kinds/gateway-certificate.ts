import { gatewayKvKeys } from '../../istio/gateway-files.ts';
import { type GatewayFiles, judgeGateway } from '../../istio/gateway-lint.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { readEntry, writeEntry } from '../../rotation/kv-entry.ts';
import { type Certificate, parseCertificates } from '../../x509/certificate.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { issueGatewayFiles, placedGatewayFiles } from '../gateway-material.ts';
import { clusterNames, kvMetadataPath, kvPath } from '../names.ts';
import { isOurMount } from '../ownership.ts';
import { clusterVault, type Decision, decideByLines, type Reach, type Resource } from '../resource.ts';
import type { Gateway, Mesh, MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { type MountRow, mountRow } from './mounts.ts';

interface Observed {
  /** Certificates of the public record, the gateway's own first. */
  readonly served: readonly Certificate[] | undefined;
  /** As placed by mesh.yaml. */
  readonly wanted: GatewayFiles | undefined;
  readonly mount: MountRow | undefined;
}

/** Entry of the cluster's secrets mount that the gateway's agent reads. */
export const gatewayEntry = (name: string): string => `gateways/${name}/certs`;
/** Its certificates without the key, for those who may not see it. */
export const gatewayRecordPath = (cluster: MeshCluster, name: string): string =>
  kvPath(cluster, `${gatewayEntry(name)}-public`);

/** Certificates of the gateways that mesh.yaml issues or places; for the others somebody with a writer's role does. */
export function gatewayCertificates(mesh: Mesh, cluster: MeshCluster): Resource[] {
  return cluster.gateways
    .filter(({ hosts, files }) => hosts !== undefined || files !== undefined)
    .map((gateway) => gatewayCertificate(mesh, cluster, gateway) as Resource);
}

function gatewayCertificate(mesh: Mesh, cluster: MeshCluster, gateway: Gateway): Resource<Observed> {
  const { name, hosts = [], files } = gateway;
  return {
    group: cluster.name,
    label: `certificate ${kvPath(cluster, gatewayEntry(name))}`,
    summary: files === undefined ? `${hosts.join(', ')}, signed by ${mesh.root.mount}` : `from ${files.cert}`,
    observe: async (reach) => ({
      served: await servedBy(cluster, name, reach),
      wanted: files && (await placedGatewayFiles(files)),
      mount: await mountRow(
        clusterVault(reach, cluster.name),
        'sys/mounts',
        clusterNames(cluster).secretsMount,
      ),
    }),
    decide: (observed, { now }) => decide(mesh, gateway, observed, now),
    write: async (reach, { wanted }) =>
      store(cluster, name, reach, wanted ?? (await issueGatewayFiles(mesh, gateway, reach))),
    undo: {
      // In a mount of meshroot's own it goes with the mount.
      exists: ({ served, mount }) => served !== undefined && !isOurMount(mount),
      made: () => true,
      remove: async (reach) => {
        const vault = clusterVault(reach, cluster.name);
        await vault.delete(kvMetadataPath(cluster, gatewayEntry(name)));
        await vault.delete(kvMetadataPath(cluster, `${gatewayEntry(name)}-public`));
        return undefined;
      },
    },
  };
}

function decide({ root }: Mesh, gateway: Gateway, { served, wanted }: Observed, now: number): Decision {
  const [finding] = wanted === undefined ? [] : judgeGateway(wanted, now);
  if (finding !== undefined) return refuse(gateway, finding.message, finding.hint);
  if (wanted === undefined && root.offline !== undefined) {
    return refuse(
      gateway,
      'an offline root issues no gateway certificates',
      'place one with files: { cert, key }',
    );
  }
  const [found] = served ?? [];
  if (found === undefined) return { kind: 'add', lines: [] };
  const fresh = wanted === undefined ? undefined : parseCertificates(wanted.serverCertificate)[0];
  if (fresh !== undefined) {
    const same = fresh.fingerprint === found.fingerprint;
    return decideByLines(true, same ? [] : [`+ ${fresh.serial}, to ${isoDay(fresh.notAfter)}`]);
  }
  return decideByLines(true, [...differentHosts(gateway, found), ...tooOld(found, now)]);
}

function differentHosts({ hosts = [] }: Gateway, { sans }: Certificate): string[] {
  const [is, wanted] = [[...sans.dns].sort().join(', '), [...hosts].sort().join(', ')];
  return is === wanted ? [] : [`- ${is}`, `+ ${wanted}`];
}

/** Renewed at half of its life: nothing hangs from a leaf, so its change needs no one's leave. */
function tooOld({ notBefore, notAfter }: Certificate, now: number): string[] {
  return now < (notBefore + notAfter) / 2 ? [] : [`- ends ${isoDay(notAfter)}`, '+ a new one'];
}

async function servedBy(
  cluster: MeshCluster,
  name: string,
  reach: Reach,
): Promise<readonly Certificate[] | undefined> {
  const vault = clusterVault(reach, cluster.name);
  const record = await readEntry(vault, gatewayRecordPath(cluster, name)).catch(missingMount);
  const text = record?.[gatewayKvKeys.serverCertificate];
  return typeof text === 'string' ? parseCertificates(text) : undefined;
}

/** The entry first: a record tells of what is there. */
async function store(cluster: MeshCluster, name: string, reach: Reach, files: GatewayFiles): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  const certificates = {
    [gatewayKvKeys.serverCertificate]: files.serverCertificate,
    [gatewayKvKeys.caCertificates]: files.caCertificates,
  };
  const whole = { ...certificates, [gatewayKvKeys.privateKey]: files.privateKey.reveal() };
  await writeEntry(vault, kvPath(cluster, gatewayEntry(name)), whole, cluster.kv);
  await writeEntry(vault, gatewayRecordPath(cluster, name), certificates, cluster.kv);
}

const refuse = ({ name }: Gateway, why: string, hint: string | undefined): Decision => ({
  kind: 'refuse',
  error: new MeshrootError('bad-gateway-certificate', `gateway ${name}: ${why}`, {
    exit: 1,
    ...(hint !== undefined && { hint }),
  }),
});
