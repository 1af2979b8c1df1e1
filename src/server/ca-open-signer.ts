import { fileSource } from '../istio/ca-file-source.ts';
import { GuardedSigner, isUnreachable } from '../istio/ca-guarded-signer.ts';
import { BundleKeeper } from '../istio/ca-keeper.ts';
import { LateSigner } from '../istio/ca-late-signer.ts';
import { PkiSigner } from '../istio/ca-pki-signer.ts';
import { openReserve } from '../istio/ca-reserve.ts';
import { ReserveKeeper } from '../istio/ca-reserve-keeper.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { Signer, TrustSet } from '../istio/ca-signer.ts';
import { noteVaultRequest, TransitSigner } from '../istio/ca-transit-signer.ts';
import { transitSource } from '../istio/ca-transit-source.ts';
import type { VaultSession } from '../istio/ca-vault-session.ts';
import { watchFolder } from '../istio/ca-watch.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Certificate } from '../x509/certificate.ts';
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
  /** Aborted: wait no longer. */
  readonly signal: AbortSignal;
}

export interface OpenedSigner {
  readonly signer: Signer;
  /** Resolves when what it trusts is what the mesh trusts, and not what the reserve says while the Vault was not reached. */
  readonly reached: Promise<void>;
  /** Until when it signs without a Vault, in ms since the epoch; 0 when not at all. */
  signsUntil(): number;
  /** The intermediate that signs while the Vault is away, where there is one. */
  reserve(): Certificate | undefined;
  /** `listener` is awaited before a change of certificates counts as done. */
  onChange(listener: () => Promise<void>): void;
  /** Follows whatever the certificates come from until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How often a Vault is asked whether the intermediate changed, in ms. */
const vaultPoll = 30_000;
/** How often a start looks for a Vault that is away, in ms. */
const startPoll = 1000;

/** The signer of the settings, loaded and judged. @throws MeshrootError when it cannot sign now */
export async function openSigner(options: OpenSignerOptions): Promise<OpenedSigner> {
  const { signer } = options.settings;
  if (signer.kind === 'file') return openFiles(options);
  const session = await openSession(signer.vault, options.clock);
  try {
    return await openRemote(
      options,
      session,
      signer.kind === 'vault-transit' ? transit(options) : pki(options),
    );
  } catch (error) {
    session.close();
    throw error;
  }
}

async function openFiles({ settings, clock, log, onReload }: OpenSignerOptions): Promise<OpenedSigner> {
  const { folder, multiRoot, trustDomain } = settings;
  const source = fileSource(folder, { trustDomain, clock });
  const keeper = await BundleKeeper.open({ source, multiRoot, log, onReload });
  log.info(`Added cacerts files watcher at ${folder}`);
  return {
    signer: keeper.signer,
    reached: Promise.resolve(),
    signsUntil: () => keeper.signer.trust().certificate.notAfter,
    reserve: () => undefined,
    onChange: (listener) => keeper.onChange(listener),
    follow: (signal) => watchFolder({ folder, clock, signal, onChange: () => keeper.reload() }),
    close: () => {},
  };
}

/** A signer in a Vault that was reached. */
interface Remote {
  readonly signer: Signer;
  /** Looks again at what the Vault holds; never throws. */
  refresh(): Promise<void>;
}

type Reach = (session: VaultSession, told: () => Promise<void>) => Promise<Remote>;

const transit =
  ({ settings, clock, log, onReload }: OpenSignerOptions): Reach =>
  async (session, told) => {
    const { folder, multiRoot, signer, trustDomain } = settings;
    if (signer.kind !== 'vault-transit') throw new MeshrootError('unknown-signer', 'not a transit signer');
    const { mount, key, kvPath } = signer;
    const place = { session, mount, key, kvPath, folder };
    const source = transitSource({ trustDomain, clock, ...place, onRequest: noteVaultRequest });
    const keeper = await BundleKeeper.open({ source, multiRoot, log, onReload });
    keeper.onChange(told);
    return { signer: new TransitSigner(keeper.signer), refresh: async () => void (await keeper.reload()) };
  };

const pki =
  ({ settings, clock, log, onReload }: OpenSignerOptions): Reach =>
  async (session, told) => {
    const { folder, signer, multiRoot } = settings;
    if (signer.kind !== 'vault-pki') throw new MeshrootError('unknown-signer', 'not a PKI signer');
    const { mount, role } = signer;
    const opened = await PkiSigner.open({ session, mount, role, folder, multiRoot, now: () => clock.now() });
    log.info(`Using Vault PKI ${mount}, role ${role}, for signing`);
    let failure = '';
    const refresh = async () => {
      try {
        if (!(await opened.refresh())) return;
        await told();
        onReload({ ok: true });
        failure = '';
      } catch (error) {
        if (failure === messageOf(error)) return; // said already
        failure = messageOf(error);
        log.warn(`the chain of ${mount} cannot be used: ${failure}`);
        onReload({ ok: false, code: codeOf(error) ?? 'reload-failed' });
      }
    };
    return { signer: opened, refresh };
  };

/** A guarded signer in a Vault, with the reserve beside it, which also serves a start while the Vault is away. */
async function openRemote(
  options: OpenSignerOptions,
  session: VaultSession,
  reach: Reach,
): Promise<OpenedSigner> {
  const { clock, log, onSigned, onAway } = options;
  const listeners: (() => Promise<void>)[] = [];
  const told = async () => {
    for (const listener of listeners) await listener();
  };
  let remote = await reached(() => reach(session, told), options);
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  if (remote !== undefined) arrived();
  const late = new LateSigner(remote?.signer, await trustWithout(remote, options));
  const reserve = await reserveOf(options, () => late.trust());
  const instead = reserve === undefined ? 'callers are told to come back' : 'the reserve signs';
  const onBreaker = ({ open, reason }: { readonly open: boolean; readonly reason: string }) => {
    onAway(open);
    if (open) log.error(`the signer is away (${reason}): ${instead}`);
    else log.info(reason);
  };
  const look = async () => {
    try {
      if (remote === undefined) {
        remote = await reach(session, told);
        late.use(remote.signer);
        await told();
        arrived();
      } else await remote.refresh();
    } catch (error) {
      log.warn(`the Vault was not reached yet: ${messageOf(error)}`);
    }
    await reserve?.refresh();
  };
  return {
    signer: new GuardedSigner(late, { clock, reserve, onSigned, onBreaker }),
    reached: arrival,
    signsUntil: () => reserve?.end ?? 0,
    reserve: () => reserve?.certificate,
    onChange: (listener) => void listeners.push(listener),
    follow: (signal) => every(vaultPoll, clock, signal, look),
    close: () => session.close(),
  };
}

/** Waits for a Vault that is away, as nothing is wrong with the settings; with a reserve nobody need wait: undefined. */
async function reached(
  reach: () => Promise<Remote>,
  { settings, clock, log, signal }: OpenSignerOptions,
): Promise<Remote | undefined> {
  for (let said = false; ; said = true) {
    try {
      return await reach();
    } catch (error) {
      if (!isUnreachable(error) || signal.aborted) throw error;
      const instead = settings.reserve === undefined ? 'waiting for it' : 'starting on the reserve';
      if (!said) log.error(`the Vault is away (${messageOf(error)}): ${instead}`);
      if (settings.reserve !== undefined) return undefined;
      await clock.sleep(startPoll, signal).catch(() => {});
    }
  }
}

/** What is believed until the Vault is reached: what the reserve's files say. */
async function trustWithout(remote: Remote | undefined, { settings, clock }: OpenSignerOptions) {
  const { reserve, trustDomain } = settings;
  if (remote !== undefined || reserve === undefined) return undefined;
  return (
    await openReserve(reserve.folder, reserve.passphraseFile, undefined, { trustDomain, clock })
  ).trust();
}

/** Says what an outage of the Vault will mean, so that nobody learns it from the outage. */
async function reserveOf({ settings, clock, log }: OpenSignerOptions, mesh: () => TrustSet) {
  const { trustDomain } = settings;
  if (settings.reserve === undefined) {
    log.info(
      'outage budget: without its Vault nothing is signed; running workloads keep what is left of their certificates, at least half a life',
    );
    return undefined;
  }
  const reserve = await ReserveKeeper.open({ ...settings.reserve, mesh, trustDomain, clock, log });
  const end = new Date(reserve.end).toISOString();
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
