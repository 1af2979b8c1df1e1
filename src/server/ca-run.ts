import { announceServing } from '../istio/ca-announce.ts';
import { clusterReviewer } from '../istio/ca-cluster.ts';
import { jwksReviewer } from '../istio/ca-jwks.ts';
import { BundleKeeper } from '../istio/ca-keeper.ts';
import { CaMetrics } from '../istio/ca-metrics.ts';
import { RootConfigMaps } from '../istio/ca-root-config-map.ts';
import { servingMaterial, servingNames } from '../istio/ca-serving.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { TrustSet } from '../istio/ca-signer.ts';
import { boundedReview, type ReviewToken } from '../istio/ca-token-review.ts';
import { watchFolder } from '../istio/ca-watch.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type CaListener, listenForCertificates } from './ca-grpc.ts';
import { type CaHttp, listenForScrapes } from './ca-http.ts';
import { HotTls } from './hot-tls.ts';

export interface RunCa {
  readonly settings: CaSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted: answer what is under way, then leave. */
  readonly signal: AbortSignal;
  readonly onReady?: (ports: { ca: number; metrics?: number; http?: number }) => void;
}

const graceMs = 5000;

/**
 * The Istio CA from start to end: load and judge the bundle, serve, follow the files, publish the root.
 * @throws MeshrootError when it cannot start; a bundle that turns bad later is logged and the last good one kept
 */
export async function runCa(run: RunCa): Promise<void> {
  const api = await cluster(run);
  try {
    await serve(run, api, await reviewer(run, api));
  } finally {
    api?.close();
  }
}

async function serve(run: RunCa, api: KubeApi | undefined, review: ReviewToken): Promise<void> {
  const { settings, clock, log } = run;
  let metrics: CaMetrics | undefined;
  const keeper = await BundleKeeper.open({
    folder: settings.folder,
    multiRoot: settings.multiRoot,
    trustDomain: settings.trustDomain,
    clock,
    log,
    onReload: (result) => metrics?.reloaded(result),
  });
  log.info(`Added cacerts files watcher at ${settings.folder}`);
  const trust = () => keeper.signer.trust();
  metrics = new CaMetrics(trust, clock);
  const names = servingNames(settings);
  log.info(`Discover server subject alt names: [${names.join(' ')}]`);
  log.info(`Generating istiod-signed cert for [${names.join(' ')}]:`);
  const make = async () => {
    const material = await servingMaterial(keeper.signer, names, clock.now());
    announceServing(material, settings, log);
    return material;
  };
  const tls = new HotTls(await make());
  keeper.onChange(async () => tls.update(await make()));
  const listeners = await listenAll(run, { keeper, review, metrics, tls });
  const stop = new AbortController();
  const work = [
    watchFolder({ folder: settings.folder, clock, signal: stop.signal, onChange: () => keeper.reload() }),
    ...(api === undefined ? [] : [publishRoots(run, api, keeper, trust, stop.signal)]),
  ];
  await ended(run.signal);
  log.info('shutting down: no new certificates');
  stop.abort();
  await Promise.all([...work, ...listeners.map((listener) => listener())]);
}

interface Parts {
  readonly keeper: BundleKeeper;
  readonly review: ReviewToken;
  readonly metrics: CaMetrics;
  readonly tls: HotTls;
}

/** Opens every socket, or none: one that fails closes those before it. */
async function listenAll(run: RunCa, parts: Parts): Promise<(() => Promise<void>)[]> {
  const { settings, clock, log } = run;
  const { metrics, keeper } = parts;
  const opened: (() => Promise<void>)[] = [];
  let up = false;
  try {
    const plain = async (address: string | undefined): Promise<CaHttp | undefined> => {
      if (address === undefined) return undefined;
      const http = await listenForScrapes(address, metrics.registry, () => up);
      opened.push(() => http.close());
      return http;
    };
    const [scrapes, http] = [await plain(settings.metrics), await plain(settings.http)];
    log.info('initializing CA server with IstioD CA');
    log.info('starting CA server');
    const options = { ...settings, ...parts, signer: keeper.signer, clock, log: log.named('serverca') };
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

/** The cluster whose tokens are reviewed and whose namespaces get the root; none with --jwks and no kubeconfig. */
async function cluster({ settings, env, clock }: RunCa): Promise<KubeApi | undefined> {
  const named = settings.kubeconfig !== undefined || env.KUBECONFIG || env.KUBERNETES_SERVICE_HOST;
  if (settings.jwks !== undefined && !named) return undefined;
  const { connect } = await import('../kube/connect.ts');
  try {
    return await connect({ kubeconfig: settings.kubeconfig, env, clock });
  } catch (error) {
    if (!(error instanceof MeshrootError) || error.code !== 'no-cluster') throw error;
    throw new MeshrootError(
      'no-reviewer',
      'nothing can tell good tokens from bad ones: no cluster and no keys are configured',
      {
        hint: 'give --kubeconfig FILE (TokenReview) or --jwks FILE|URL --issuer ISSUER',
      },
    );
  }
}

async function reviewer(run: RunCa, api: KubeApi | undefined): Promise<ReviewToken> {
  const { jwks } = run.settings;
  const { clock } = run;
  if (jwks !== undefined) return boundedReview(await jwksReviewer({ ...jwks, clock }), { clock });
  if (api === undefined) throw new MeshrootError('no-reviewer', 'no cluster to review tokens');
  return boundedReview(clusterReviewer(api), { clock });
}

/** Rights may come after the start (RBAC applied late): tried again until it works. */
async function publishRoots(
  run: RunCa,
  api: KubeApi,
  keeper: BundleKeeper,
  trust: () => TrustSet,
  signal: AbortSignal,
) {
  const { clock, settings } = run;
  const log = run.log.named('rootcertconfigmap');
  const maps = new RootConfigMaps({
    api,
    name: settings.configMap,
    rootPem: () => trust().rootPem,
    log,
    signal,
  });
  keeper.onChange(async () => void maps.publish());
  while (!signal.aborted) {
    try {
      await maps.run();
    } catch (error) {
      log.error(`cannot publish the root in namespaces: ${messageOf(error)}`);
    }
    await clock.sleep(5000, signal).catch(() => {});
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
