import { days, humanDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { keyTypeOf } from '../../x509/keys.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import { offlineRoot } from '../offline-root.ts';
import { isOurMount, madeByMeshroot } from '../ownership.ts';
import { type Decision, keep, type Reach, type Resource } from '../resource.ts';
import { rootFiles } from '../root-files.ts';
import type { Mesh } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

export interface ObservedRoot {
  readonly mount: MountRow | undefined;
  readonly certificate: Certificate | undefined;
}

/** The root CA: a Vault PKI mount whose key was made inside Vault and never leaves it. */
export function rootResource({ root }: Mesh): Resource<ObservedRoot> {
  return {
    group: 'mesh',
    label: `root ${root.mount}`,
    summary:
      root.import === undefined
        ? `${root.keyType}, ${humanDuration(root.ttl)}, key made in vault, not exportable`
        : `imported from ${root.import.cert}, key not exportable from then on`,
    observe: async (reach) => ({
      mount: await mountRow(reach.vault, 'sys/mounts', root.mount),
      certificate: await readRoot(reach, root.mount),
    }),
    decide: (observed, { now }) => decideRoot(root, observed, now),
    write: (reach, observed) => writeRoot(reach, root, observed),
    undo: {
      exists: ({ mount }) => mount !== undefined,
      made: ({ mount }) => isOurMount(mount),
      remove: async ({ vault }) => {
        await vault.delete(mountOfRoot(root));
        return undefined;
      },
    },
  };
}

/** The current root certificate of the PKI mount, or undefined while there is none. */
export async function readRoot(
  { vault }: Pick<Reach, 'vault'>,
  mount: string,
): Promise<Certificate | undefined> {
  if ((await mountRow(vault, 'sys/mounts', mount))?.type !== 'pki') return undefined;
  const issuers = await vault.list(`${mount}/issuers`);
  if (issuers.length === 0) return undefined;
  const pem = (await vault.read(`${mount}/cert/ca`))?.data?.certificate;
  return typeof pem === 'string' && pem !== '' ? parseCertificate(pem) : undefined;
}

/** The root's certificate, wherever mesh.yaml keeps the root. */
export const rootOf = ({ root }: Mesh, reach: Pick<Reach, 'vault'>): Promise<Certificate | undefined> =>
  root.offline === undefined ? readRoot(reach, root.mount) : offlineRoot(root.offline.cert);

function decideRoot(wanted: Mesh['root'], { mount, certificate }: ObservedRoot, now: number): Decision {
  if (mount !== undefined && mount.type !== 'pki') {
    const error = new MeshrootError(
      'mount-of-other-type',
      `${wanted.mount}/ is a ${mount.type} mount, not pki`,
      {
        hint: 'choose another name with root.mount in mesh.yaml, or move that mount away',
        exit: 1,
      },
    );
    return { kind: 'refuse', error };
  }
  if (certificate === undefined) return { kind: 'add', lines: [] };
  if (certificate.notAfter <= now) {
    const error = new MeshrootError(
      'root-expired',
      `the root in ${wanted.mount}/ ended ${isoDay(certificate.notAfter)}`,
      {
        hint: 'a new root changes all trust and is never made by apply: docs/replace-a-root.md',
        exit: 1,
      },
    );
    return { kind: 'refuse', error };
  }
  return differenceOfRoot(wanted, certificate, now);
}

/** A living root is never replaced by apply; what differs is told. */
function differenceOfRoot(wanted: Mesh['root'], certificate: Certificate, now: number): Decision {
  const type = keyTypeOf(certificate.publicKey);
  if (wanted.import === undefined && type !== wanted.keyType) {
    return {
      kind: 'keep',
      warning: `root is ${type}, mesh.yaml says ${wanted.keyType}: stays until the root is replaced (docs/replace-a-root.md)`,
    };
  }
  const left = certificate.notAfter - now;
  return left < days(365)
    ? {
        kind: 'keep',
        warning: `root expires ${isoDay(certificate.notAfter)} (${humanDuration(left)}): plan its replacement (docs/replace-a-root.md)`,
      }
    : keep;
}

const mountOfRoot = (root: Mesh['root']): string => `sys/mounts/${root.mount}`;

async function writeRoot({ vault }: Reach, root: Mesh['root'], observed: ObservedRoot): Promise<void> {
  const ttl = `${Math.round(root.ttl / 1000)}s`;
  if (observed.mount === undefined) {
    await vault.write(mountOfRoot(root), {
      type: 'pki',
      description: `root CA of the mesh, ${madeByMeshroot}; its key never leaves`,
      config: { max_lease_ttl: ttl },
    });
  }
  if (root.import !== undefined) {
    const bundle = await rootFiles(root.import);
    await vault.write(`${root.mount}/config/ca`, { pem_bundle: bundle.reveal() });
    return;
  }
  await vault.write(`${root.mount}/root/generate/internal`, {
    common_name: 'Root CA',
    organization: 'Istio',
    ttl,
    ...vaultKeyType(root.keyType),
  });
}

/** Vault's words for a key type. */
export function vaultKeyType(type: Mesh['root']['keyType']): { key_type: string; key_bits: number } {
  const [kind, bits] = type.split('-') as [string, string];
  return kind === 'rsa'
    ? { key_type: 'rsa', key_bits: Number(bits) }
    : { key_type: 'ec', key_bits: Number(bits.slice(1)) };
}
