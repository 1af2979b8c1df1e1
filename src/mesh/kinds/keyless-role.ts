import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { pkiRole } from '../keyless.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, unlessForeign } from '../ownership.ts';
import { clusterVault, type Decision, decideByLines, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { type MountRow, mountRow } from './mounts.ts';

interface Observed {
  readonly found: Readonly<Record<string, unknown>> | undefined;
  readonly mount: MountRow | undefined;
}

/** What docs/ca-differences.md asks of it: names come from the CA and not from a request, of this trust domain only. */
function fieldsOf({ trustDomain, trustDomainAliases }: Mesh): Record<string, unknown> {
  return {
    allowed_uri_sans: [trustDomain, ...trustDomainAliases].map((name) => `spiffe://${name}/*`),
    allowed_domains: ['svc'],
    allow_subdomains: true,
    require_cn: false,
    use_csr_sans: false,
    use_csr_common_name: false,
    key_type: 'any',
    key_usage: ['DigitalSignature', 'KeyEncipherment'],
    no_store: true,
    not_before_duration: '120s',
    max_ttl: '24h',
  };
}

/** By which the CA of a cluster asks Vault to sign. */
export function keylessRoleResource(mesh: Mesh, cluster: MeshCluster): Resource<Observed> {
  const { pkiMount } = clusterNames(cluster);
  const path = `${pkiMount}/roles/${pkiRole}`;
  const wanted = fieldsOf(mesh);
  return {
    group: cluster.name,
    label: `pki role ${pkiRole}`,
    summary: `${String(wanted.allowed_uri_sans)}, at most 24h, stores nothing`,
    observe: async (reach) => {
      const vault = clusterVault(reach, cluster.name);
      const mount = await mountRow(vault, 'sys/mounts', pkiMount);
      const data = mount && (await vault.read(path).catch(missingMount))?.data;
      return { mount, found: isRecord(data) ? data : undefined };
    },
    decide: ({ found, mount }, { adopt }) => {
      const moved = found && otherTrustDomain(mesh, cluster, found);
      if (moved !== undefined) return moved;
      const lines = found === undefined ? [] : differences(found, wanted);
      const decision = decideByLines(found !== undefined, lines);
      return unlessForeign(decision, isOurMount(mount), `role ${pkiRole} of ${pkiMount}`, adopt);
    },
    write: async (reach) => {
      await clusterVault(reach, cluster.name).write(path, wanted);
    },
  };
}

/** Every identity starts with it: the old name has to stay an alias until no workload has it. */
function otherTrustDomain(
  { trustDomain, trustDomainAliases }: Mesh,
  { name }: MeshCluster,
  found: Readonly<Record<string, unknown>>,
): Decision | undefined {
  const [first = ''] = [found.allowed_uri_sans].flat().map(String);
  const before = /^spiffe:\/\/([^/]+)\//.exec(first)?.[1];
  if (before === undefined || [trustDomain, ...trustDomainAliases].includes(before)) return undefined;
  const message = `${name} is live in trust domain ${before}, mesh.yaml says ${trustDomain}`;
  const hint = `keep the old name valid with trustDomainAliases: [${before}], or put trustDomain: ${before} back`;
  return { kind: 'refuse', error: new MeshrootError('trust-domain-changed', message, { hint, exit: 1 }) };
}

function differences(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(wanted)
    .map(([key, value]) => [key, plain(found[key]), plain(value)] as const)
    .filter(([, is, should]) => is !== should)
    .flatMap(([key, is, should]) => [`- ${key} ${is || '(none)'}`, `+ ${key} ${should}`]);
}

/** Lists, durations and truths as Vault gives them back: lists sorted, durations in seconds. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  const text = String(value ?? '');
  return /^\d+[smhd]$/.test(text) ? String(parseDuration(text) / 1000) : text;
}
