import { hostname } from 'node:os';
import type { CertificateSource } from '../injector/certificate-source.ts';
import type { ConfigMapWriter } from '../injector/config-map-writer.ts';
import type { CaBundleKeeper } from '../injector/keep-ca-bundle.ts';
import type { RefusalEvents } from '../injector/refusal-events.ts';
import type { KubeApi } from '../kube/api.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { AllSettings } from './injector-flags.ts';

/** What the injector does with the API server beside answering it. */
export interface InjectorKube {
  readonly keeper: CaBundleKeeper | undefined;
  readonly events: RefusalEvents | undefined;
  /** With -config-maps. */
  readonly configMaps: ConfigMaps | undefined;
  /** Takes part in the election until the signal is aborted; undefined without -use-leader-elector. */
  readonly elect: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Lets go of the connections to the API server. */
  close(): void;
}

export interface ConfigMaps {
  readonly write: ConfigMapWriter['write'];
  /** Deletes unused ones until the signal is aborted; undefined: the leader does. */
  readonly keep: ((signal: AbortSignal) => Promise<void>) | undefined;
}

interface Needs {
  readonly settings: AllSettings;
  readonly source: CertificateSource;
  readonly kubeconfig: string | undefined;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Undefined when nothing is asked of it: the Kubernetes client is loaded only then.
 * @throws MeshrootError `no-cluster` with -tls-auto or -config-maps; Events alone are left out when there is no cluster
 */
export async function injectorKube(needs: Needs): Promise<InjectorKube | undefined> {
  const { settings, log } = needs;
  if (settings.tlsAuto === '' && !settings.events && !settings.configMaps) return undefined;
  const kube = await cluster(needs);
  if (kube === undefined) return undefined;
  const standing = { leads: !settings.useLeaderElector };
  const keeper = settings.tlsAuto === '' ? undefined : await keeperOf(kube, needs, standing);
  const maps = settings.configMaps ? await configMapsOf(kube, log.named('config-maps')) : undefined;
  const led: Led = {
    began: (leading) => {
      standing.leads = true;
      void keeper?.heal(leading);
      return maps?.keep(leading);
    },
    ended: () => {
      standing.leads = false;
    },
  };
  const elects = !standing.leads && (keeper !== undefined || maps !== undefined);
  return {
    keeper,
    elect: elects ? elector(kube, needs, led) : undefined,
    configMaps: maps === undefined ? undefined : { ...maps, keep: elects ? undefined : maps.keep },
    events: settings.events ? await eventsOf(kube, log.named('events')) : undefined,
    close: () => kube.close(),
  };
}

async function cluster({ settings, kubeconfig, log, env }: Needs): Promise<KubeApi | undefined> {
  const { connect } = await import('../kube/connect.ts');
  try {
    return await connect({ kubeconfig, env });
  } catch (error) {
    if (settings.tlsAuto !== '' || settings.configMaps || codeOf(error) !== 'no-cluster') throw error;
    log.warn('no cluster: refusals are answered and logged, but become no Events');
    return undefined;
  }
}

async function eventsOf(kube: KubeApi, log: Logger): Promise<RefusalEvents> {
  const { RefusalEvents } = await import('../injector/refusal-events.ts');
  return new RefusalEvents({ kube, clock: systemClock, log });
}

/** Whether this replica may take CAs out of the bundle. */
interface Standing {
  leads: boolean;
}

async function configMapsOf(kube: KubeApi, log: Logger) {
  const [{ ConfigMapWriter }, { keepSwept }] = await Promise.all([
    import('../injector/config-map-writer.ts'),
    import('../injector/sweep-config-maps.ts'),
  ]);
  const writer = new ConfigMapWriter({ kube, clock: systemClock });
  return {
    write: writer.write.bind(writer),
    keep: (signal: AbortSignal) => keepSwept({ kube, clock: systemClock, log }, signal),
  };
}

/** What only the leader does. */
interface Led {
  began(leading: AbortSignal): Promise<void> | undefined;
  ended(): void;
}

/** The Lease is named after the configuration, in the injector's namespace; both names come as vault-k8s gets them. */
function elector(
  kube: KubeApi,
  { settings, log, env }: Needs,
  led: Led,
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const { whileLeader } = await import('../kube/leader.ts');
    const election = {
      api: kube,
      name: `${settings.tlsAuto || 'meshroot-injector'}-leader`,
      namespace: env.NAMESPACE ?? 'default',
      identity: env.POD_NAME ?? `${hostname()}-${process.pid}`,
      clock: systemClock,
      log: log.named('leader'),
      signal,
    };
    await whileLeader(election, async (leading) => {
      const work = led.began(leading);
      await new Promise((resolve) => leading.addEventListener('abort', resolve, { once: true }));
      led.ended();
      await work;
    });
  };
}

async function keeperOf(
  kube: KubeApi,
  { settings, source, log }: Needs,
  standing: Standing,
): Promise<CaBundleKeeper> {
  const [{ CaBundleKeeper }, { joinCaBundle, mergeCaBundle }] = await Promise.all([
    import('../injector/keep-ca-bundle.ts'),
    import('../injector/self-made-certificate.ts'),
  ]);
  const ownFiles = settings.tlsCertFile !== '';
  const merge = (old: string): string => {
    const own = source.caBundle;
    if (own === undefined) return old; // certificate files without their CA: somebody else keeps the bundle
    if (ownFiles) return own;
    return standing.leads ? mergeCaBundle(old, own, systemClock.now()) : joinCaBundle(old, own);
  };
  return new CaBundleKeeper({
    kube,
    name: settings.tlsAuto,
    merge,
    clock: systemClock,
    log: log.named('tls'),
  });
}
