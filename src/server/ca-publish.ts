import { randomBytes } from 'node:crypto';
import { RootConfigMaps } from '../istio/ca-root-config-map.ts';
import { unlessIstiod } from '../istio/ca-root-yield.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { KubeApi } from '../kube/api.ts';
import { whileLeader } from '../kube/leader.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

export interface PublishOptions {
  readonly settings: CaSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly rootPem: () => string;
  readonly crl: () => string | undefined;
  /** `listener` is told when one of the two changed. */
  readonly onChange: (listener: () => void) => void;
}

/** Keeps root and revocation list in every namespace of a cluster, by one replica at a time, and not beside istiod's CA. */
export async function publishIn(api: KubeApi, options: PublishOptions, signal: AbortSignal): Promise<void> {
  const { settings, env, clock } = options;
  const log = options.log.named('rootcertconfigmap');
  let current: readonly RootConfigMaps[] = [];
  options.onChange(() => {
    for (const maps of current) void maps.publish();
  });
  const identity = `${env.POD_NAME || 'meshroot-ca'}-${randomBytes(4).toString('hex')}`;
  const lease = { name: 'meshroot-ca-root-publisher', namespace: settings.namespace, identity };
  const publish = async (free: AbortSignal) => {
    const { configMap, crlConfigMap } = settings;
    const common = { api, log, signal: free };
    current = [
      new RootConfigMaps({ ...common, name: configMap, rootPem: options.rootPem }),
      new RootConfigMaps({ ...common, name: crlConfigMap, key: 'ca-crl.pem', rootPem: options.crl }),
    ];
    await Promise.all(current.map((maps) => untilAborted(maps, clock, log, free)));
    current = [];
  };
  await whileLeader({ api, ...lease, clock, log, signal }, (leading) =>
    unlessIstiod({ api, namespace: settings.namespace, clock, log, signal: leading }, publish),
  );
}

/** Rights may come after the start (RBAC applied late): tried again until it works. */
async function untilAborted(
  maps: RootConfigMaps,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await maps.run();
    } catch (error) {
      log.error(`cannot publish the root in namespaces: ${messageOf(error)}`);
    }
    await clock.sleep(5000, signal).catch(() => {});
  }
}
