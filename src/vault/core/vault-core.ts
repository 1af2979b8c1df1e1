import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import type { Barrier, Random } from './barrier.ts';
import { expireLoop } from './expire.ts';
import { handleRequest } from './handle-request.ts';
import { type InitResult, initialize } from './initialize.ts';
import { rotationLoop } from './key-rotation.ts';
import { silentMetrics } from './metrics.ts';
import { type OpenStore, openServices } from './open-services.ts';
import { periodicLoop } from './periodic.ts';
import type { Physical } from './physical.ts';
import { pooledRandom } from './pooled-random.ts';
import { refuse } from './refusal.ts';
import type { Reply, VaultRequest } from './request.ts';
import { checkSealConfig, openKeyring, openSeal, readSealConfig, type SealConfig } from './seal.ts';
import type { Services } from './services.ts';
import { uuidOf } from './uuid.ts';
import type { FullOptions, VaultCoreOptions } from './vault-core-options.ts';

export interface SealStatus {
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly threshold: number;
  readonly shares: number;
  readonly progress: number;
  readonly nonce: string;
  readonly storageType: string;
  /** Undefined while sealed. */
  readonly clusterId: string | undefined;
}

/** A Vault without sockets: closed or open, and every call goes through `handle`. */
export class VaultCore {
  readonly #options: FullOptions;
  #shares: Buffer[] = [];
  #nonce = '';
  #open: OpenStore | undefined;
  #loops = new AbortController();
  /** Making and opening go one after the other: two at once would make two stores. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: VaultCoreOptions) {
    this.#options = {
      clock: systemClock,
      random: pooledRandom(),
      log: silentLogger,
      metrics: silentMetrics,
      auditDevices: [],
      auditFolders: [],
      apiAddress: () => '',
      ...options,
    };
  }

  get services(): Services | undefined {
    return this.#open?.services;
  }

  status(): SealStatus {
    const config = readSealConfig(this.#options.physical);
    return {
      initialized: config !== undefined,
      sealed: this.#open === undefined,
      threshold: config?.threshold ?? 0,
      shares: config?.shares ?? 0,
      progress: this.#shares.length,
      nonce: this.#nonce,
      storageType: this.#options.physical.type,
      clusterId: this.#open?.services.clusterId,
    };
  }

  /** Makes the store; it stays sealed. @throws Refusal 400 */
  init(config: SealConfig, rootToken?: string): Promise<InitResult> {
    return this.#inTurn(async () => {
      checkSealConfig(config);
      if (this.status().initialized) throw refuse('Vault is already initialized', 400, 'already-initialized');
      return initialize(this.#options, config, rootToken);
    });
  }

  /** One share more; opens the store when there are enough. @throws Refusal 400 */
  unseal(share: Buffer): Promise<SealStatus> {
    return this.#inTurn(() => this.#unseal(share));
  }

  async #unseal(share: Buffer): Promise<SealStatus> {
    if (this.#open !== undefined) return this.status();
    const config = readSealConfig(this.#options.physical);
    if (config === undefined) throw refuse('Vault is not initialized', 400, 'not-initialized');
    if (!this.#shares.some((known) => known.equals(share))) this.#shares.push(Buffer.from(share));
    if (this.#nonce === '') this.#nonce = uuidOf(this.#options.random(16));
    if (this.#shares.length < config.threshold) return this.status();
    const shares = this.#shares;
    this.resetUnseal();
    const { barrier, rootKey } = await openSeal(this.#options.physical, shares, this.#options.random);
    for (const used of shares) used.fill(0);
    await this.#start(barrier, rootKey);
    return this.status();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  resetUnseal(): void {
    this.#shares = [];
    this.#nonce = '';
  }

  /** Forgets the keys. */
  seal(): void {
    this.#loops.abort();
    const open = this.#open;
    this.#open = undefined;
    open?.close();
    if (open !== undefined) this.#options.log.info('vault is sealed');
  }

  /**
   * Swaps in the snapshot that was staged, in one commit. The store is open again afterwards, unless the snapshot is of
   * other key shares: then it waits for those. Nothing happens when none is staged.
   */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      const staged = this.#open?.services.snapshots.take();
      if (staged === undefined || this.#open === undefined) return;
      const { physical, random, log } = this.#options;
      const rootKey = Buffer.from(this.#open.rootKey);
      this.seal();
      try {
        await physical.replaceAll(staged.entries());
        log.info('a snapshot was restored', { entries: staged.meta.entries });
      } finally {
        staged.discard();
        await this.#reopen(physical, rootKey, random);
      }
    });
  }

  async #reopen(physical: Physical, rootKey: Buffer, random: Random): Promise<void> {
    let barrier: Barrier;
    try {
      barrier = openKeyring(physical, rootKey, random);
    } catch {
      rootKey.fill(0);
      this.#options.log.warn('the snapshot is of other key shares: unseal with those');
      return;
    }
    await this.#start(barrier, rootKey);
  }

  async close(): Promise<void> {
    this.seal();
    await this.#options.physical.close();
  }

  /** Any call below `/v1/` that is no matter of sealing. Never throws. */
  async handle(request: VaultRequest): Promise<Reply> {
    if (this.#open === undefined) return { status: 503, body: { errors: ['Vault is sealed'] } };
    const { clock, random, log } = this.#options;
    return handleRequest({ services: this.#open.services, clock, random, log }, request);
  }

  async #start(barrier: Barrier, rootKey: Buffer): Promise<void> {
    const { clock, random, log } = this.#options;
    const open = await openServices(this.#options, barrier, rootKey, () => this.seal());
    this.#open = open;
    this.#loops = new AbortController();
    const { services } = open;
    const { signal } = this.#loops;
    void expireLoop(services, clock, log.named('expiration'), signal);
    void rotationLoop(services, clock, log.named('rotation'), signal);
    void periodicLoop({ services, clock, random, log: log.named('periodic') }, signal);
    log.info('vault is unsealed');
  }
}
