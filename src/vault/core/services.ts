import type { PolicyStore } from '../policy/policy-store.ts';
import type { AuditBroker } from './audit-broker.ts';
import type { AuditedHeaders } from './audited-headers.ts';
import type { Backend } from './backend.ts';
import type { Cors } from './cors.ts';
import type { RootGeneration } from './generate-root.ts';
import type { LeaseTable } from './leases.ts';
import type { Metrics } from './metrics.ts';
import type { Migrations } from './migrations.ts';
import type { MountEntry } from './mount-entry.ts';
import type { RateQuotas } from './rate-quotas.ts';
import type { Rekey } from './rekey.ts';
import type { Router } from './router.ts';
import type { Snapshots } from './snapshots.ts';
import type { Storage } from './storage.ts';
import type { TokenStore } from './tokens.ts';
import type { UserLockout } from './user-lockout.ts';

/** Makes a backend for a mount; the key of the catalogue is the type that people write. */
export type BackendFactory = (mount: Pick<MountEntry, 'options'>) => Backend;

export interface Catalogue {
  readonly secret: Readonly<Record<string, BackendFactory>>;
  readonly auth: Readonly<Record<string, BackendFactory>>;
}

/** Everything that exists only while the store is open. */
export interface Services {
  readonly storage: Storage;
  readonly router: Router;
  readonly leases: LeaseTable;
  readonly tokens: TokenStore;
  readonly policies: PolicyStore;
  readonly audit: AuditBroker;
  readonly auditedHeaders: AuditedHeaders;
  readonly catalogue: Catalogue;
  readonly metrics: Metrics;
  readonly lockout: UserLockout;
  readonly clusterId: string;
  /** Where clients find this server; empty when nobody said. */
  readonly apiAddress: () => string;
  readonly snapshots: Snapshots;
  readonly cors: Cors;
  readonly quotas: RateQuotas;
  readonly migrations: Migrations;
  readonly rekey: Rekey;
  readonly rootGeneration: RootGeneration;
  /** Forgets the keys; every later call is refused. */
  seal(): void;
  /** Writes from now on use a new data key. What is there stays readable. */
  rotate(): Promise<void>;
  keyStatus(): {
    readonly term: number;
    /** Milliseconds. */
    readonly installed: number;
    /** Since the store was opened. */
    readonly encryptions: number;
  };
}
