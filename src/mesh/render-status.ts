import type { Certificate } from '../x509/certificate.ts';
import { isoDay } from '../x509/validity-rule.ts';
import type { ClusterStatus, MeshStatus } from './status.ts';
import { branchLines, certificateRow } from './tree-rows.ts';

export interface StatusContext {
  readonly now: number;
  /** What ends sooner than this is told, milliseconds. */
  readonly within: number;
  /** Makes a line stand out, on a terminal that can. */
  readonly alert: (line: string) => string;
}

/** The trust tree for people. */
export function renderStatus({ root, rootKey, clusters }: MeshStatus, context: StatusContext): string {
  const branches = clusters.map((cluster) => clusterLines(cluster, context));
  const title =
    root === undefined
      ? context.alert(`no root to be seen   key: ${rootKey}`)
      : marked(certificateRow('Root CA', root, context.now, `key: ${rootKey}`, 25), root, context);
  const lines = branches.flatMap((branch, i) => branchLines(branch, i === branches.length - 1));
  return [title, ...lines, summary({ root, rootKey, clusters }, context), ''].join('\n');
}

function clusterLines(cluster: ClusterStatus, context: StatusContext): string[] {
  const { name, place, intermediate, presented, readers, problems } = cluster;
  const head =
    intermediate === undefined
      ? name
      : marked(
          certificateRow(name, intermediate, context.now, `${intermediate.serial}   ${place}`),
          intermediate,
          context,
        );
  const [serving, issuer] = presented ?? [];
  const served =
    serving === undefined
      ? []
      : [
          marked(
            certificateRow('istiod', serving, context.now, delivered(cluster, issuer), 19),
            serving,
            context,
          ),
        ];
  const below = [...served, ...readers, ...problems.map((why) => context.alert(`? ${why}`))];
  return [head, ...below.flatMap((line, i) => branchLines([line], i === below.length - 1))];
}

/** Whether istiod has what Vault holds. */
export function delivered({ intermediate }: ClusterStatus, served: Certificate | undefined): string {
  if (intermediate === undefined || served === undefined) return '';
  return served.serial === intermediate.serial ? 'serves the stored one' : `still serves ${served.serial}`;
}

const marked = (line: string, { notAfter }: Certificate, { now, within, alert }: StatusContext): string =>
  notAfter - now < within ? alert(`${line}   ends ${isoDay(notAfter)}`) : line;

/** Certificates that end within the time given, soonest first. */
export function endingSoon(
  { root, clusters }: MeshStatus,
  { now, within }: Pick<StatusContext, 'now' | 'within'>,
): Certificate[] {
  const all = [root, ...clusters.flatMap(({ intermediate, presented = [] }) => [intermediate, presented[0]])];
  return all
    .filter((one): one is Certificate => one !== undefined && one.notAfter - now < within)
    .sort((a, b) => a.notAfter - b.notAfter);
}

function summary(status: MeshStatus, context: StatusContext): string {
  const soon = endingSoon(status, context);
  const { clusters } = status;
  const ill = clusters.filter(({ problems }) => problems.length > 0).length;
  return [
    `${clusters.length} cluster${clusters.length === 1 ? '' : 's'}`,
    ...(soon[0] === undefined ? [] : [`${soon.length} ending soon, the first ${isoDay(soon[0].notAfter)}`]),
    ...(ill === 0 ? [] : [`${ill} with something missing`]),
  ].join('. ');
}

/** The same as data. */
export function statusToJson(status: MeshStatus, context: Pick<StatusContext, 'now' | 'within'>): object {
  const facts = (certificate: Certificate | undefined) =>
    certificate && {
      serial: certificate.serial,
      notAfter: new Date(certificate.notAfter).toISOString(),
      daysLeft: Math.floor((certificate.notAfter - context.now) / 86_400_000),
    };
  return {
    ok: exitCodeOfStatus(status, context) === 0,
    root: { ...facts(status.root), key: status.rootKey },
    clusters: status.clusters.map(({ intermediate, presented, unseen: _, ...cluster }) => ({
      ...cluster,
      intermediate: facts(intermediate) ?? null,
      istiod: facts(presented?.[0]) ?? null,
      servedSerial: presented?.[1]?.serial ?? null,
    })),
  };
}

/** 1 when something ends soon, is missing or not delivered; 2 when all that was seen is well but not all was seen. */
export function exitCodeOfStatus(
  status: MeshStatus,
  context: Pick<StatusContext, 'now' | 'within'>,
): 0 | 1 | 2 {
  const { root, clusters } = status;
  const missing = root === undefined || clusters.some((c) => c.intermediate === undefined && !c.unseen);
  const late = clusters.some((c) => delivered(c, c.presented?.[1]).startsWith('still'));
  if (missing || late || endingSoon(status, context).length > 0) return 1;
  return clusters.some(({ unseen }) => unseen) ? 2 : 0;
}
