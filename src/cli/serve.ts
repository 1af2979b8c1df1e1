import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { whileLeader } from '../kube/leader.ts';
import { systemClock } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Logger } from '../lib/log.ts';
import { desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import { Controller } from '../server/controller.ts';
import { metricsPage } from '../server/metrics-endpoint.ts';
import { createPinoLog } from '../server/pino-log.ts';
import { type Pages, servePages } from '../server/plain-pages.ts';
import { createTextLog } from '../server/text-log.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { type PaceFlags, withPace } from './pace-flags.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot serve -f mesh.yaml                     keep the mesh as mesh.yaml wants it, renew what is due
  meshroot serve -f mesh.yaml --observe-only      write nothing: tell drift and what is due, as log and metrics
  meshroot serve -f /etc/meshroot/mesh.yaml --leader-elect --listen :9465      in a cluster, several replicas

reads mesh.yaml again every few seconds (SIGHUP: at once, and looks at everything); the token comes from VAULT_TOKEN or
~/.vault-token (or VAULT_TOKEN_FILE) and is read again when Vault refuses it; what others made is never taken over here: meshroot apply --adopt
metrics, /healthz and /readyz on --listen
`;

interface Flags extends PaceFlags {
  readonly file: string;
  readonly interval: string;
  readonly listen: string;
  readonly observeOnly: boolean;
  readonly leaderElect: boolean;
  readonly leaseNamespace?: string;
  readonly logFormat: 'text' | 'json';
}

/** `meshroot serve`: the long-running controller. */
export function command(io: Io): Command {
  const serveCommand = new Command()
    .description(
      'keep Vault and the clusters as mesh.yaml wants them, and renew intermediates when they are due',
    )
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--interval <duration>', 'how often each cluster is looked at', '5m')
    .option('--listen <host:port>', 'where /metrics, /healthz and /readyz are served', '127.0.0.1:9465')
    .option('--observe-only', 'write nothing, only tell', false)
    .option('--leader-elect', 'of several replicas only one works (a Lease in its own cluster)', false)
    .option('--lease-namespace <namespace>', "where the Lease is; by default the pod's own namespace")
    .addOption(
      new Option('--log-format <format>', 'how log lines look').choices(['text', 'json']).default('text'),
    );
  return withPace(serveCommand)
    .addHelpText('after', examples)
    .action((flags: Flags) => serve(flags, io));
}

async function serve(flags: Flags, io: Io): Promise<void> {
  const log =
    flags.logFormat === 'json'
      ? createPinoLog(io.stderr, 'info')
      : createTextLog(io.stderr, systemClock, 'info', 'serve');
  await loadMesh(flags.file); // what cannot start is told at once, with exit code 2
  const controller = new Controller({
    load: () => loadMesh(flags.file),
    resourcesOf: (mesh) => desired(mesh, { injector: injectorObjects }),
    reachOf: (mesh) => reachOf(mesh, io.env, flags),
    clock: systemClock,
    interval: parseDuration(flags.interval),
    reload: 10_000,
    concurrency: flags.concurrency,
    write: !flags.observeOnly,
    log,
  });
  const standby = { now: flags.leaderElect };
  const pages = await servePages(flags.listen, pagesOf(controller, standby));
  log.info('serving', { listen: `port ${pages.port}`, file: flags.file, writes: !flags.observeOnly });
  const wake = (): void => controller.wake();
  process.on('SIGHUP', wake);
  try {
    if (flags.leaderElect) await elected(flags, io, log, (signal) => lead(controller, standby, signal));
    else await controller.run(io.signal);
  } finally {
    process.off('SIGHUP', wake);
    await pages.close();
  }
  log.info('stopped');
}

async function lead(controller: Controller, standby: { now: boolean }, signal: AbortSignal): Promise<void> {
  standby.now = false;
  await controller.run(signal);
  standby.now = true;
}

/** A replica that waits for its turn is ready too: a rollout must not wait for the leader to leave. */
function pagesOf(controller: Controller, standby: { now: boolean }): Pages {
  return {
    '/metrics': metricsPage(controller.metrics.registry),
    '/healthz': () => ({ text: 'ok\n' }),
    '/readyz': () =>
      controller.ready || standby.now
        ? { text: 'ok\n' }
        : { status: 503, text: 'mesh.yaml is not in force yet\n' },
  };
}

async function elected(
  { leaseNamespace }: Flags,
  io: Io,
  log: Logger,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { connect } = await import('../kube/connect.ts');
  const api = await connect({ env: io.env });
  const identity = `${io.env.POD_NAME ?? hostname()}-${randomBytes(4).toString('hex')}`;
  const namespace = leaseNamespace ?? api.namespace;
  try {
    const lease = { name: 'meshroot-serve', namespace, identity };
    await whileLeader({ api, ...lease, clock: systemClock, log, signal: io.signal }, work);
  } finally {
    api.close();
  }
}
