import { Command } from 'commander';
import { AuditMetrics } from '../insight/audit-metrics.ts';
import type { Denial } from '../insight/denials.ts';
import { followAudit } from '../insight/follow-audit.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { serveMetrics } from '../server/metrics-endpoint.ts';
import type { Io } from './io.ts';

const examples = `
examples:
  meshroot observe .meshroot/audit.log                       each denial as a line, metrics on 127.0.0.1:9464
  meshroot observe audit.log --listen 0.0.0.0:9464 --quiet   metrics only, for Prometheus
  meshroot observe audit.log --once --json                   what the log holds now, as JSON lines

metrics: meshroot_vault_denials_total{mount,role,reason}, meshroot_vault_requests_total{mount,operation,outcome}
`;

interface Flags {
  readonly listen: string;
  readonly once: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** `meshroot observe`: follows a Vault audit log; who was refused where, and why. */
export function command(io: Io): Command {
  return new Command()
    .description(
      'follow a Vault audit log: print who was refused where and why, serve it as Prometheus metrics',
    )
    .argument('<audit.log>', 'file of a Vault file audit device')
    .option('--listen <host:port>', 'where /metrics is served', '127.0.0.1:9464')
    .option('--once', 'read to the end and leave, serve nothing', false)
    .option('--quiet', 'print no denials', false)
    .option('--json', 'print each denial as a line of JSON', false)
    .addHelpText('after', examples)
    .action((file: string, flags: Flags) => observe(file, flags, io));
}

async function observe(file: string, flags: Flags, io: Io): Promise<void> {
  const metrics = new AuditMetrics();
  const endpoint = flags.once ? undefined : await serveMetrics(metrics.registry, flags.listen);
  if (endpoint !== undefined) io.stderr.write(`metrics on ${endpoint.url}, following ${file}\n`);
  const tell = (denial: Denial) => {
    if (!flags.quiet) io.stdout.write(flags.json ? `${JSON.stringify(denial)}\n` : row(denial));
  };
  try {
    await followAudit(file, metrics, tell, { clock: systemClock, signal: io.signal, once: flags.once });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new MeshrootError('no-audit-log', `${file} is not there`, {
      hint: 'enable one: vault audit enable file file_path=FILE',
      cause: error,
    });
  } finally {
    await endpoint?.close();
  }
}

function row({ time, reason, mount, role, who, operation, path }: Denial): string {
  const caller = who || role || '(unknown)';
  return `${new Date(time).toISOString()}  ${reason.padEnd(22)} ${caller.padEnd(40)} ${operation} ${path}   mount ${mount}\n`;
}
