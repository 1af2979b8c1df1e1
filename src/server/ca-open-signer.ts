import { fileSource, type JudgeOptions } from '../istio/ca-file-source.ts';
import { GuardedSigner } from '../istio/ca-guarded-signer.ts';
import { BundleKeeper } from '../istio/ca-keeper.ts';
import { PkiSigner } from '../istio/ca-pki-signer.ts';
import { openReserve } from '../istio/ca-reserve.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { Signer, TrustSet } from '../istio/ca-signer.ts';
import { noteVaultRequest, TransitSigner } from '../istio/ca-transit-signer.ts';
import { transitSource } from '../istio/ca-transit-source.ts';
import type { VaultSession } from '../istio/ca-vault-session.ts';
import { watchFolder } from '../istio/ca-watch.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { openSession } from './ca-open-session.ts';

export interface OpenSignerOptions {
  readonly settings: CaSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onReload: (result: { ok: boolean; code?: string }) => void;
  readonly onSigned: (result: {
    readonly ok: boolean;
    readonly ms: number;
    readonly reserve: boolean;
  }) => void;
  /** Told when the breaker opens and closes. */
  readonly onAway: (away: boolean) => void;
}

export interface OpenedSigner {
  readonly signer: Signer;
  /** Until when it signs without a Vault, in ms since the epoch; 0 when not at all. */
  signsUntil(): number;
  /** `listener` is awaited before a change of certificates counts as done. */
  onChange(listener: () => Promise<void>): void;
  /** Follows whatever the certificates come from until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How often a Vault is asked whether the intermediate changed, in ms. */
const vaultPoll = 30_000;

/** The signer of the settings, loaded and judged. @throws MeshrootError when it cannot sign now */
export function openSigner(options: OpenSignerOptions): Promise<OpenedSigner> {
  const { signer } = options.settings;
  if (signer.kind === 'file') return openFiles(options);
  const session = openSession(signer.vault, options.clock);
  return signer.kind === 'vault-transit' ? openTransit(options, session) : openPki(options, session);
}

async function openFiles({ settings, clock, log, onReload }: OpenSignerOptions): Promise<OpenedSigner> {
  const { folder, multiRoot, trustDomain } = settings;
  const source = fileSource(folder, { trustDomain, clock });
  const keeper = await BundleKeeper.open({ source, multiRoot, log, onReload });
  log.info(`Added cacerts files watcher at ${folder}`);
  return {
    signer: keeper.signer,
    signsUntil: () => keeper.signer.trust().certificate.notAfter,
    onChange: (listener) => keeper.onChange(listener),
    follow: (signal) => watchFolder({ folder, clock, signal, onChange: () => keeper.reload() }),
    close: () => {},
  };
}

async function openTransit(
  options: OpenSignerOptions,
  session: Promise<VaultSession>,
): Promise<OpenedSigner> {
  const { settings, clock, log, onReload } = options;
  const { folder, multiRoot, signer } = settings;
  if (signer.kind !== 'vault-transit') throw new MeshrootError('unknown-signer', 'not a transit signer');
  const { mount, key, kvPath } = signer;
  const open = await session;
  const judged = { trustDomain: settings.trustDomain, clock };
  const place = { session: open, mount, key, kvPath, folder };
  const source = transitSource({ ...judged, ...place, onRequest: noteVaultRequest });
  const keeper = await BundleKeeper.open({ source, multiRoot, log, onReload });
  const signerOfKey = new TransitSigner(keeper.signer);
  return {
    ...(await guarded(signerOfKey, options, judged)),
    onChange: (listener) => keeper.onChange(listener),
    follow: (signal) => every(vaultPoll, clock, signal, async () => void (await keeper.reload())),
    close: () => open.close(),
  };
}

async function openPki(options: OpenSignerOptions, session: Promise<VaultSession>): Promise<OpenedSigner> {
  const { settings, clock, log, onReload } = options;
  const { folder, signer, trustDomain } = settings;
  if (signer.kind !== 'vault-pki') throw new MeshrootError('unknown-signer', 'not a PKI signer');
  const { mount, role } = signer;
  const open = await session;
  const pki = await PkiSigner.open({ session: open, mount, role, folder, now: () => clock.now() });
  log.info(`Using Vault PKI ${mount}, role ${role}, for signing`);
  const listeners: (() => Promise<void>)[] = [];
  const refresh = async () => {
    try {
      if (!(await pki.refresh())) return;
      for (const listener of listeners) await listener();
      onReload({ ok: true });
    } catch (error) {
      log.warn(`cannot read the chain of ${mount}: ${messageOf(error)}`);
      onReload({ ok: false, code: codeOf(error) ?? 'reload-failed' });
    }
  };
  return {
    ...(await guarded(pki, options, { trustDomain, clock })),
    onChange: (listener) => void listeners.push(listener),
    follow: (signal) => every(vaultPoll, clock, signal, refresh),
    close: () => open.close(),
  };
}

async function guarded(
  inner: Signer,
  options: OpenSignerOptions,
  judged: JudgeOptions,
): Promise<Pick<OpenedSigner, 'signer' | 'signsUntil'>> {
  const { settings, clock, log, onSigned, onAway } = options;
  const reserve = await reserveOf(settings, inner.trust(), judged, log);
  const instead = reserve === undefined ? 'callers are told to come back' : 'the reserve signs';
  const onBreaker = ({ open, reason }: { readonly open: boolean; readonly reason: string }) => {
    onAway(open);
    if (open) log.error(`the signer is away (${reason}): ${instead}`);
    else log.info(reason);
  };
  return {
    signer: new GuardedSigner(inner, { clock, reserve, onSigned, onBreaker }),
    signsUntil: () => reserve?.trust().certificate.notAfter ?? 0,
  };
}

/** Says what an outage of the Vault will mean, so that nobody learns it from the outage. */
async function reserveOf(settings: CaSettings, trust: TrustSet, judged: JudgeOptions, log: Logger) {
  if (settings.reserve === undefined) {
    log.info(
      'outage budget: without its Vault nothing is signed; running workloads keep what is left of their certificates, at least half a life',
    );
    return undefined;
  }
  const reserve = await openReserve(settings.reserve.folder, settings.reserve.passphraseFile, trust, judged);
  const end = new Date(reserve.trust().certificate.notAfter).toISOString();
  log.info(`outage budget: without its Vault the reserve intermediate signs until ${end}`);
  return reserve;
}

async function every(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms, signal).catch(() => {});
    if (!signal.aborted) await work();
  }
}
