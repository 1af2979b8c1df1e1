import { Command } from 'commander';
import { agoOrIn } from '../insight/scan/day-count.ts';
import { gather } from '../insight/scan/gather.ts';
import type { ScanFinding, ScanInput } from '../insight/scan/input.ts';
import { pointInTime } from '../insight/scan/point-in-time.ts';
import { type ScanReport, scan } from '../insight/scan/scan.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isoDay } from '../x509/validity-rule.ts';
import type { Io } from './io.ts';

interface ScanFlags {
  readonly context: readonly string[];
  readonly kubeconfig?: string;
  readonly at?: string;
  readonly json?: boolean;
}

/** `meshroot scan PATH… --context C…`: a read-only lint of certificates, keys and bundles in files and live clusters. */
export function command(io: Io, clock: Clock = systemClock): Command {
  return new Command('scan')
    .description(
      'checks certificates, keys, bundles and mesh.yaml in files, folders and live clusters; writes nothing',
    )
    .argument('[path...]', 'files, folders (with all below), or both')
    .option('--context <name>', 'a live cluster, by kubeconfig context; may be repeated', repeated, [])
    .option('--kubeconfig <file>', 'where the contexts are; alone: the cluster of its current context')
    .option('--at <when>', 'judge as of then: +400d, 2027-01-31')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    .action(async (paths: string[], flags: ScanFlags) => {
      const now = flags.at === undefined ? clock.now() : pointInTime(flags.at, clock.now());
      const report = scan(together(await inputs(paths, flags, io)), now);
      io.stdout.write(flags.json === true ? `${JSON.stringify(asJson(report, now))}\n` : asText(report, now));
      io.exitCode = report.errors > 0 ? 1 : 0;
    });
}

const repeated = (value: string, before: readonly string[]): string[] => [...before, value];

/**
 * Everything that was named, read.
 * @throws MeshrootError `nothing-to-scan` when nothing was named
 */
async function inputs(
  paths: readonly string[],
  { context, kubeconfig }: ScanFlags,
  io: Io,
): Promise<ScanInput[]> {
  const contexts = context.length > 0 ? context : kubeconfig === undefined ? [] : [undefined];
  if (paths.length + contexts.length === 0) {
    throw new MeshrootError('nothing-to-scan', 'no file, folder or cluster was named', {
      hint: 'meshroot scan FOLDER, or meshroot scan --context NAME',
    });
  }
  const live = contexts.map((name) => scanCluster(name, kubeconfig, io));
  return await Promise.all([...(paths.length > 0 ? [gather(paths)] : []), ...live]);
}

/** The Kubernetes client is loaded only for a cluster. */
async function scanCluster(
  context: string | undefined,
  kubeconfig: string | undefined,
  io: Io,
): Promise<ScanInput> {
  const [{ connect }, { gatherCluster }] = await Promise.all([
    import('../kube/connect.ts'),
    import('../insight/scan/gather-cluster.ts'),
  ]);
  const kube = await connect({ context, kubeconfig, env: io.env });
  try {
    return await gatherCluster(kube, context ?? 'cluster');
  } finally {
    kube.close();
  }
}

const together = (all: readonly ScanInput[]): ScanInput => ({
  files: all.flatMap(({ files }) => files),
  bundles: all.flatMap(({ bundles }) => bundles),
  problems: all.flatMap(({ problems }) => problems),
});

const examples = `
exit codes: 0 no error was found, 1 errors were found, 2 it could not run

examples:
  meshroot scan certs                      every certificate, key and bundle below certs
  meshroot scan --at +90d certs            what will be broken in 90 days
  meshroot scan mesh.yaml                  what it asks for: lifetimes, TLS, who reads a CA's key
  meshroot scan --context prod-eu --context prod-us
                                           two live clusters and whether they trust each other; only lists objects
  meshroot scan --json ca.pem tls.crt`;

/** One finding: code, file, what; below it how to mend it. Columns as wide as the longest entry. */
function asText(report: ScanReport, now: number): string {
  const width = (of: (finding: ScanFinding) => string) =>
    Math.max(0, ...report.findings.map((f) => of(f).length));
  const codes = width(({ code }) => code);
  const files = Math.min(
    width(({ file }) => file),
    60,
  );
  const lines = report.findings.flatMap((finding) => {
    const warning = finding.severity === 'warning' ? 'warning: ' : '';
    const head = `${finding.code.padEnd(codes)}   ${finding.file.padEnd(files)}   ${warning}${finding.message}`;
    return finding.hint === undefined ? [head] : [head, `    fix   ${finding.hint}`];
  });
  return [...lines, summary(report, now)].map((line) => `${printable(line)}\n`).join('');
}

function summary({ errors, warnings, files, firstOutage }: ScanReport, now: number): string {
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  const found =
    warnings === 0 ? count(errors, 'error') : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  const outage =
    firstOutage === undefined ? '' : `. first outage: ${isoDay(firstOutage)} (${agoOrIn(firstOutage, now)})`;
  return `${found} in ${count(files, 'file')}${outage}`;
}

/** Names come from strangers' files: nothing in them may steer the terminal. */
const printable = (line: string): string => line.replace(/\p{Cc}/gu, '?');

function asJson({ findings, firstOutage, ...counts }: ScanReport, now: number): object {
  return {
    ok: counts.errors === 0,
    at: new Date(now).toISOString(),
    ...counts,
    firstOutage: firstOutage === undefined ? null : new Date(firstOutage).toISOString(),
    findings: findings.map(({ certificate, severity, ...finding }) => ({
      ...finding,
      severity: severity ?? 'error',
      ...(certificate === undefined
        ? {}
        : {
            certificate: {
              serial: certificate.serial,
              fingerprint: certificate.fingerprint,
              notBefore: new Date(certificate.notBefore).toISOString(),
              notAfter: new Date(certificate.notAfter).toISOString(),
            },
          }),
    })),
  };
}
