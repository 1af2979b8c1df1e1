import { Admission } from '../istio/ca-admission.ts';
import { announceServing } from '../istio/ca-announce.ts';
import type { Certified } from '../istio/ca-authority.ts';
import { CrlKeeper } from '../istio/ca-crl.ts';
import { CsrDesk } from '../istio/ca-csr-desk.ts';
import type { JoinOnce } from '../istio/ca-join.ts';
import { CaMetrics } from '../istio/ca-metrics.ts';
import { servingMaterial, servingNames } from '../istio/ca-serving.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { Signer } from '../istio/ca-signer.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Certificate } from '../x509/certificate.ts';
import { type Clusters, connectClusters } from './ca-clusters.ts';
import { type CaListener, listenForCertificates } from './ca-grpc.ts';
import { listenForScrapes } from './ca-http.ts';
import { type CaLedger, openLedger } from './ca-ledger.ts';
import { openJoin } from './ca-open-join.ts';
import { type OpenedSigner, openSigner } from './ca-open-signer.ts';
import { publishIn } from './ca-publish.ts';
import { HotTls } from './hot-tls.ts';
import type { PlainPages } from './plain-pages.ts';

export interface RunCa {
  readonly settings: CaSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted: answer what is under way, then leave. */
  readonly signal: AbortSignal;
  /** Hands over what a rotation of the ledger asks for (SIGHUP). */
  readonly onHangup?: (reopen: () => void) => void;
  readonly onReady?: (ports: { ca: number; metrics?: number; http?: number }) => void;
}

const graceMs = 5000;
/** Requests that are signed at a time: enough for every core here, and what a Vault bears elsewhere. */
const signedHere = 256;
const signedElsewhere = 64;

/**
 * The Istio CA from start to end: load and judge the bundle, serve, follow the files, publish the root.
 * @throws MeshrootError when it cannot start; a bundle that turns bad later is logged and the last good one kept
 */
export async function runCa(run: RunCa): Promise<void> {
  const clusters = await connectClusters(run);
  const closing: Closing = [() => clusters.close()];
  try {
    await serve(run, clusters, closing);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** What was opened and has to be closed however it ends, a thread among them; last in, first out. */
type Closing = (() => void | Promise<void>)[];

async function serve(run: RunCa, clusters: Clusters, closing: Closing): Promise<void> {
  const { settings, clock, log } = run;
  let metrics: CaMetrics | undefined;
  const opened = await openSigner({
    settings,
    clock,
    log,
    onReload: (result) => metrics?.reloaded(result),
    onSigned: (result) => metrics?.signed(result),
    onAway: (away) => metrics?.signerAway(away),
    signal: run.signal,
  });
  closing.push(() => opened.close());
  const { signer } = opened;
  const trust = () => signer.trust();
  const crl = await CrlKeeper.open(settings.folder, trust, log);
  const ledger = settings.ledger === undefined ? undefined : openLedger(settings.ledger, log);
  closing.push(async () => ledger?.close());
  run.onHangup?.(() => ledger?.reopen());
  const { rate, callerRate } = settings;
  const parallel = settings.signer.kind === 'file' ? signedHere : signedElsewhere;
  const admission = new Admission({ clock, rate, callerRate, parallel });
  const desk = CsrDesk.open(log);
  closing.push(async () => desk?.close());
  metrics = new CaMetrics({
    trust,
    clock,
    depth: () => admission.depth,
    serving: () => serving.certificate,
    reserve: () => opened.reserve(),
    signsUntil: () => opened.signsUntil(),
  });
  const names = servingNames(settings);
  log.info(`Discover server subject alt names: [${names.join(' ')}]`);
  log.info(`Generating istiod-signed cert for [${names.join(' ')}]:`);
  const make = async () => {
    const material = await servingMaterial(signer, names, clock.now());
    announceServing(material, settings, log);
    const { issued } = material;
    ledger?.writeOwn({ issued, cluster: settings.clusterId, pod: run.env.POD_NAME }, clock.now());
    return material;
  };
  let serving = await make();
  const tls = new HotTls(serving);
  const renew = async () => {
    serving = await make();
    tls.update(serving);
  };
  opened.onChange(renew);
  const join = await openJoin(settings, clock, log);
  closing.push(() => join.close());
  const { joinOnce } = join;
  const parts = { signer, clusters, admission, metrics, tls, ledger, joinOnce, desk };
  const listeners = await listenAll(run, parts);
  const stop = new AbortController();
  const work = [
    opened.follow(stop.signal),
    renewServing(run, () => serving.certificate, renew, stop.signal),
    ...publishers(run, { clusters, opened, crl }, stop.signal),
  ];
  await ended(run.signal);
  log.info('shutting down: no new certificates');
  stop.abort();
  await Promise.all([...work, ...listeners.map((listener) => listener())]);
}

/** A signer elsewhere gives short lives, to the listener too: renewed at half of it, and tried again while that fails. */
async function renewServing(
  { clock, log }: RunCa,
  certificate: () => Certificate,
  renew: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { notBefore, notAfter } = certificate();
    const wait = (notBefore + notAfter) / 2 - clock.now();
    await clock.sleep(Math.min(Math.max(wait, 30_000), 86_400_000), signal).catch(() => {});
    if (signal.aborted || clock.now() < (notBefore + notAfter) / 2) continue;
    await renew().catch((error: unknown) =>
      log.error(`cannot renew the own certificate: ${messageOf(error)}`),
    );
  }
}

interface Parts {
  readonly signer: Signer;
  readonly clusters: Clusters;
  readonly admission: Admission;
  readonly metrics: CaMetrics;
  readonly tls: HotTls;
  readonly ledger: CaLedger | undefined;
  readonly joinOnce: JoinOnce | undefined;
  readonly desk: CsrDesk | undefined;
}

/** Opens every socket, or none: one that fails closes those before it. */
async function listenAll(run: RunCa, parts: Parts): Promise<(() => Promise<void>)[]> {
  const { settings, clock, log } = run;
  const { metrics, desk } = parts;
  const opened: (() => Promise<void>)[] = [];
  let up = false;
  try {
    const plain = async (address: string | undefined): Promise<PlainPages | undefined> => {
      if (address === undefined) return undefined;
      const http = await listenForScrapes(address, {
        registry: metrics.registry,
        ready: () => up,
        trust: () => parts.signer.trust(),
        now: () => clock.now(),
      });
      opened.push(() => http.close());
      return http;
    };
    const [scrapes, http] = [await plain(settings.metrics), await plain(settings.http)];
    log.info('initializing CA server with IstioD CA');
    log.info('starting CA server');
    const options = {
      ...settings,
      ...parts,
      ...parts.clusters,
      onIssued:
        parts.ledger === undefined ? undefined : (one: Certified) => parts.ledger?.write(one, clock.now()),
      readCsr: desk === undefined ? undefined : desk.read.bind(desk),
      clock,
      log: log.named('serverca'),
    };
    const ca: CaListener = await listenForCertificates({ ...options, address: settings.listen });
    opened.unshift(() => ca.close(graceMs));
    log.info('Istiod CA has started');
    log.info(`starting secure gRPC discovery service at ${withPort(settings.listen, ca.port)}`);
    if (scrapes !== undefined)
      log.info(`serving metrics at ${withPort(settings.metrics ?? '', scrapes.port)}`);
    up = true;
    run.onReady?.({
      ca: ca.port,
      ...(scrapes === undefined ? {} : { metrics: scrapes.port }),
      ...(http === undefined ? {} : { http: http.port }),
    });
    return opened;
  } catch (error) {
    await Promise.all(opened.map((close) => close()));
    throw error;
  }
}

function withPort(address: string, port: number): string {
  return address.replace(/:\d+$/, `:${port}`);
}

/** Every cluster gets root and revocation list; both are followed by one look every few seconds and at each reload. */
function publishers(
  run: RunCa,
  { clusters, opened, crl }: { clusters: Clusters; opened: OpenedSigner; crl: CrlKeeper },
  signal: AbortSignal,
): Promise<void>[] {
  const listeners: (() => void)[] = [];
  const tell = () => {
    for (const listener of listeners) listener();
  };
  opened.onChange(async () => {
    await crl.reload();
    tell();
  });
  const look = async () => {
    while (!signal.aborted) {
      await run.clock.sleep(5000, signal).catch(() => {});
      if (!signal.aborted && (await crl.reload())) tell();
    }
  };
  const options = {
    ...run,
    rootPem: () => opened.signer.trust().rootPem,
    crl: () => crl.text,
    onChange: (listener: () => void) => void listeners.push(listener),
  };
  const publish = async (api: KubeApi) => {
    await Promise.race([opened.reached, ended(signal)]);
    await publishIn(api, options, signal);
  };
  return [look(), ...[...clusters.apis.values()].map(publish)];
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
