import { hostname } from 'node:os';
import type { CertificateSource } from '../injector/certificate-source.ts';
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
  /** Takes part in the election until the signal is aborted; undefined without -use-leader-elector. */
  readonly elect: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Lets go of the connections to the API server. */
  close(): void;
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
 * @throws MeshrootError `no-cluster` with -tls-auto; Events alone are left out when there is no cluster
 */
export async function injectorKube(needs: Needs): Promise<InjectorKube | undefined> {
  const { settings, log } = needs;
  if (settings.tlsAuto === '' && !settings.events) return undefined;
  const kube = await cluster(needs);
  if (kube === undefined) return undefined;
  const standing = { leads: !settings.useLeaderElector };
  const keeper = settings.tlsAuto === '' ? undefined : await keeperOf(kube, needs, standing);
  return {
    keeper,
    elect: keeper !== undefined && !standing.leads ? elector(kube, keeper, needs, standing) : undefined,
    events: settings.events ? await eventsOf(kube, log.named('events')) : undefined,
    close: () => kube.close(),
  };
}

async function cluster({ settings, kubeconfig, log, env }: Needs): Promise<KubeApi | undefined> {
  const { connect } = await import('../kube/connect.ts');
  try {
    return await connect({ kubeconfig, env });
  } catch (error) {
    if (settings.tlsAuto !== '' || codeOf(error) !== 'no-cluster') throw error;
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

/** The Lease is named after the configuration, in the injector's namespace; both names come as vault-k8s gets them. */
function elector(
  kube: KubeApi,
  keeper: CaBundleKeeper,
  { settings, log, env }: Needs,
  standing: Standing,
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const { whileLeader } = await import('../kube/leader.ts');
    const election = {
      api: kube,
      name: `${settings.tlsAuto}-leader`,
      namespace: env.NAMESPACE ?? 'default',
      identity: env.POD_NAME ?? `${hostname()}-${process.pid}`,
      clock: systemClock,
      log: log.named('leader'),
      signal,
    };
    await whileLeader(election, async (leading) => {
      standing.leads = true;
      void keeper.heal(leading);
      await new Promise((resolve) => leading.addEventListener('abort', resolve, { once: true }));
      standing.leads = false;
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
