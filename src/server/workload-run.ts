import { WorkloadCertificate } from '../istio/workload-certificate.ts';
import { type HandshakeTarget, handshake } from '../istio/workload-handshake.ts';
import { PeerProber } from '../istio/workload-peers.ts';
import type { WorkloadSettings } from '../istio/workload-settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { listenForOrders } from './workload-control.ts';
import { listenForPeers, type WorkloadListener } from './workload-listener.ts';

export interface RunWorkload {
  readonly settings: WorkloadSettings;
  readonly listen: string | undefined;
  readonly control: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Gets a certificate and keeps it fresh; answers peers and orders as soon as it has one, until `signal` is aborted. */
export async function runWorkload(run: RunWorkload): Promise<void> {
  const { settings, clock, log } = run;
  const own = new AbortController();
  const signal = AbortSignal.any([run.signal, own.signal]);
  const certificate = new WorkloadCertificate(run);
  const { trustDomain } = settings.identity;
  const shake = async (target: HandshakeTarget) => {
    const { held } = certificate;
    if (held === undefined) return { ok: false, ms: 0, error: 'there is no certificate yet' };
    return handshake(target, held, trustDomain);
  };
  const prober = new PeerProber(shake, clock, signal);
  let peers: WorkloadListener | undefined;
  const stats = () => ({
    uri: certificate.uri,
    ...prober.stats(),
    certificate: factsOf(certificate),
    reloads: certificate.reloads,
    server: peers?.counts,
  });
  const control =
    run.control === undefined
      ? undefined
      : await listenForOrders(run.control, {
          handshake: shake,
          peers: (targets, interval) => prober.start(targets, interval),
          stats,
          renew: async () => {
            await certificate.renew();
            return stats();
          },
        });
  if (control !== undefined) log.info(`taking orders at ${named(run.control, control.port)}`);
  const failed = await new Promise<unknown>((resolve) => {
    const work = certificate.run(signal, () => {
      openListener(run, certificate).then((listener) => {
        peers = listener;
      }, resolve);
    });
    work.then(() => resolve(undefined), resolve);
  });
  own.abort(); // one that cannot listen leaves at once, with the reason
  await control?.close();
  await peers?.close();
  if (failed !== undefined) throw failed;
}

async function openListener(
  run: RunWorkload,
  certificate: WorkloadCertificate,
): Promise<WorkloadListener | undefined> {
  const { held, uri } = certificate;
  if (run.listen === undefined || held === undefined) return undefined;
  const { trustDomain } = run.settings.identity;
  const listener = await listenForPeers({ address: run.listen, uri, trustDomain, held, log: run.log });
  certificate.onRenewed((next) => listener.use(next));
  run.log.info(`answering peers at ${named(run.listen, listener.port)}`);
  return listener;
}

function named(address: string | undefined, port: number): string {
  return (address ?? '').replace(/:\d+$/, `:${port}`);
}

function factsOf({ held }: WorkloadCertificate) {
  if (held === undefined) return undefined;
  const { leaf, issuerSerial } = held;
  return { serial: leaf.serial, notAfter: new Date(leaf.notAfter).toISOString(), issuerSerial };
}
