import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { AuditDevice } from './audit-broker.ts';
import type { OpenAuditSocket } from './audit-sink.ts';
import type { Random } from './barrier.ts';
import type { Metrics } from './metrics.ts';
import type { SystemTtls } from './mount-entry.ts';
import type { Physical } from './physical.ts';
import type { Catalogue } from './services.ts';

/** What a store is made of, and with. */
export interface VaultCoreOptions {
  readonly physical: Physical;
  readonly catalogue: Catalogue;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly metrics?: Metrics;
  /** Devices of the configuration file. */
  readonly auditDevices?: readonly AuditDevice[];
  /** Folders below which the API may make audit files. */
  readonly auditFolders?: readonly string[];
  /** How audit devices of type socket are reached; without it there are none. */
  readonly openAuditSocket?: OpenAuditSocket;
  /** Lease times of mounts that say nothing; 768 h without it. */
  readonly systemTtls?: SystemTtls;
  /** Where clients find this server, for sys/ha-status. */
  readonly apiAddress?: () => string;
}

/** With what stands in for what was not given. */
export type FullOptions = Required<Omit<VaultCoreOptions, 'openAuditSocket' | 'systemTtls'>> &
  VaultCoreOptions;
