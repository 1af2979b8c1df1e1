import { messageOf } from '../../../lib/errors.ts';
import { parseCertificate } from '../../../x509/certificate.ts';
import type { MountContext } from '../../core/backend.ts';
import { viewPrefix } from '../../core/mount-entry.ts';
import type { StorageView } from '../../core/storage.ts';
import { markRevocations } from './crl-keeper.ts';
import { certificateOf, deleteIssuer, rebuildChains } from './issuers.ts';
import { signerOf } from './revoke-routes.ts';
import { secondsOf } from './seconds.ts';
import {
  allIssuers,
  putRevocation,
  readCertificate,
  readIssuersConfig,
  readRevocation,
  type StoredIssuer,
} from './store.ts';

/** What a round of tidying does. Times in seconds. */
export interface TidyConfig {
  readonly enabled: boolean;
  readonly interval_duration: number;
  readonly tidy_cert_store: boolean;
  readonly tidy_revoked_certs: boolean;
  readonly tidy_invalid_certs: boolean;
  readonly tidy_revoked_cert_issuer_associations: boolean;
  readonly tidy_expired_issuers: boolean;
  readonly tidy_move_legacy_ca_bundle: boolean;
  readonly tidy_acme: boolean;
  readonly safety_buffer: number;
  readonly revoked_safety_buffer: number;
  readonly issuer_safety_buffer: number;
  readonly acme_account_safety_buffer: number;
  readonly pause_duration: string;
  readonly page_size: number;
  readonly publish_stored_certificate_count_metrics: boolean;
  readonly maintain_stored_certificate_counts: boolean;
}

export const defaultTidy: TidyConfig = {
  enabled: false,
  interval_duration: 43_200,
  tidy_cert_store: false,
  tidy_revoked_certs: false,
  tidy_invalid_certs: false,
  tidy_revoked_cert_issuer_associations: false,
  tidy_expired_issuers: false,
  tidy_move_legacy_ca_bundle: false,
  tidy_acme: false,
  safety_buffer: 259_200,
  revoked_safety_buffer: 259_200,
  issuer_safety_buffer: 31_536_000,
  acme_account_safety_buffer: 2_592_000,
  pause_duration: '0s',
  page_size: 1000,
  publish_stored_certificate_count_metrics: false,
  maintain_stored_certificate_counts: false,
};

export const tidyOperations = [
  'tidy_cert_store',
  'tidy_revoked_certs',
  'tidy_invalid_certs',
  'tidy_revoked_cert_issuer_associations',
  'tidy_expired_issuers',
  'tidy_move_legacy_ca_bundle',
  'tidy_acme',
] as const;

export interface TidyStatus {
  readonly state: 'Inactive' | 'Running' | 'Finished' | 'Error' | 'Cancelled';
  readonly config: TidyConfig;
  /** Milliseconds. */
  readonly started: number;
  readonly finished: number;
  readonly message: string | null;
  readonly error: string | null;
  readonly certificatesDeleted: number;
  readonly revokedDeleted: number;
}

export interface Tidy {
  readonly status: () => TidyStatus;
  readonly isRunning: () => boolean;
  /** Starts in the background; false when one is running already. */
  readonly start: (context: MountContext, config: TidyConfig) => boolean;
  /** Starts the configured round when its time has come; asked by the calls that fill the store. */
  readonly runIfDue: (context: MountContext) => void;
  readonly cancel: () => void;
  /** Resolves when the round that runs has ended. */
  readonly settled: () => Promise<void>;
}

/** The tidying of one mount. Its status lives as long as the store is open. */
export function createTidy(): Tidy {
  let status: TidyStatus = { state: 'Inactive', config: defaultTidy, ...fresh, started: 0 };
  let isCancelled = false;
  let running: Promise<void> | undefined;
  const start = (context: MountContext, config: TidyConfig): boolean => {
    if (running !== undefined) return false;
    isCancelled = false;
    status = { state: 'Running', config, ...fresh, started: context.clock.now() };
    running = run(context, config, (more) => {
      status = { ...status, ...more };
      return !isCancelled;
    })
      .then(
        () => ({ state: isCancelled ? 'Cancelled' : 'Finished', message: null }) as const,
        (error: unknown) => ({ state: 'Error', error: messageOf(error) }) as const,
      )
      .then((end) => {
        status = { ...status, ...end, finished: context.clock.now() };
        running = undefined;
      });
    return true;
  };
  return {
    status: () => status,
    isRunning: () => running !== undefined,
    start,
    runIfDue: (context) => {
      const config = context.store.get<TidyConfig>('config/auto-tidy');
      if (config?.enabled !== true) return;
      if (context.clock.now() >= status.started + config.interval_duration * 1000) start(context, config);
    },
    cancel: () => {
      isCancelled = true;
    },
    settled: async () => running,
  };
}

const fresh = { finished: 0, message: null, error: null, certificatesDeleted: 0, revokedDeleted: 0 } as const;

/** Tells what was done; false = stop. */
type Progress = (more: Partial<TidyStatus>) => boolean;

/** Page by page, each in a transaction of its own: a round that is stopped leaves nothing half done. */
async function run(context: MountContext, config: TidyConfig, progress: Progress): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const { services, mount, clock } = context;
  const inPages = async (folder: string, work: (store: StorageView, name: string) => void): Promise<void> => {
    const names = services.storage.begin(false).at(viewPrefix(mount)).list(folder);
    for (let from = 0; from < names.length; from += config.page_size) {
      if (!progress({ message: `Tidying ${folder}: checking entry ${from} of ${names.length}` })) return;
      const transaction = services.storage.begin(false);
      const store = transaction.at(viewPrefix(mount));
      for (const name of names.slice(from, from + config.page_size)) work(store, name);
      await transaction.commit();
      await clock.sleep(secondsOf(config.pause_duration) * 1000);
    }
  };
  const counts = { certificatesDeleted: 0, revokedDeleted: 0 };
  const before = (buffer: number): number => clock.now() - buffer * 1000;
  if (config.tidy_cert_store) {
    await inPages('certs/', (store, serial) => {
      if (!isExpired(store, serial, before(config.safety_buffer), config.tidy_invalid_certs)) return;
      store.delete(`certs/${serial}`);
      counts.certificatesDeleted++;
    });
  }
  await inPages('revoked/', (store, serial) => {
    if (config.tidy_revoked_cert_issuer_associations) associate(store, serial, allIssuers(store));
    const found = readRevocation(store, serial);
    if (!config.tidy_revoked_certs || found === undefined) return;
    if (found.notAfter >= before(config.revoked_safety_buffer)) return;
    store.delete(`revoked/${serial}`);
    store.delete(`certs/${serial}`);
    counts.revokedDeleted++;
    if (counts.revokedDeleted === 1) markRevocations(store);
  });
  if (config.tidy_expired_issuers) {
    await inPages('issuer/', (store, id) => dropIssuer(store, id, before(config.issuer_safety_buffer)));
  }
  progress(counts);
}

function isExpired(store: StorageView, serial: string, limit: number, dropInvalid: boolean): boolean {
  const pem = readCertificate(store, serial);
  try {
    return pem !== undefined && parseCertificate(pem).notAfter < limit;
  } catch {
    return dropInvalid;
  }
}

/** A certificate whose issuer was imported after its revocation. */
function associate(store: StorageView, serial: string, issuers: readonly StoredIssuer[]): void {
  const found = readRevocation(store, serial);
  const pem = readCertificate(store, serial);
  if (found === undefined || pem === undefined || issuers.some(({ id }) => id === found.issuer)) return;
  const issuer = signerOf(parseCertificate(pem), issuers)?.id ?? '';
  if (issuer === found.issuer) return;
  putRevocation(store, serial, { ...found, issuer });
  markRevocations(store);
}

/** Never the default: that is for somebody to decide. */
function dropIssuer(store: StorageView, id: string, limit: number): void {
  const issuer = allIssuers(store).find((one) => one.id === id);
  if (issuer === undefined || readIssuersConfig(store).default === id) return;
  if (certificateOf(issuer).notAfter >= limit) return;
  deleteIssuer(store, issuer);
  rebuildChains(store);
}
