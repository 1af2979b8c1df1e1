import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { Certificate } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import type { JudgeOptions } from './ca-file-source.ts';
import { CaRefusal } from './ca-refusal.ts';
import { openReserve } from './ca-reserve.ts';
import type { FileSigner, Issued, ServingOrder, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';

export interface ReserveOptions extends JudgeOptions {
  readonly folder: string;
  readonly passphraseFile: string;
  /** What the mesh trusts now. */
  readonly mesh: () => TrustSet;
  readonly log: Logger;
}

/** The reserve in use: a new one takes over when it is good, and what it signs goes out with the roots of now. */
export class ReserveKeeper implements Signer {
  readonly #options: ReserveOptions;
  #signer: FileSigner;
  #lastFailure = '';
  #judged = { rootPem: '', leads: true };

  private constructor(signer: FileSigner, options: ReserveOptions) {
    this.#signer = signer;
    this.#options = options;
  }

  /** @throws MeshrootError `reserve-*`, or what is wrong with its certificates */
  static async open(options: ReserveOptions): Promise<ReserveKeeper> {
    const { folder, passphraseFile, mesh } = options;
    return new ReserveKeeper(await openReserve(folder, passphraseFile, mesh(), options), options);
  }

  trust(): TrustSet {
    const { roots, rootPem } = this.#options.mesh();
    return { ...this.#signer.trust(), roots, rootPem };
  }

  get certificate(): Certificate {
    return this.#signer.trust().certificate;
  }

  /** Until when it signs, in ms since the epoch. */
  get end(): number {
    return this.certificate.notAfter;
  }

  async signWorkload(order: WorkloadOrder): Promise<Issued> {
    return this.#told(await this.#usable(order.now).signWorkload(order));
  }

  async signServing(order: ServingOrder): Promise<Issued> {
    return this.#told(await this.#usable(order.now).signServing(order));
  }

  /** Reads the files again: it lives for some days, and its successor must not need a restart. Never throws. */
  async refresh(): Promise<void> {
    const { folder, passphraseFile, mesh, log } = this.#options;
    try {
      const next = await openReserve(folder, passphraseFile, mesh(), this.#options);
      const [before, after] = [this.#signer, next].map((one) => one.trust().certificate);
      this.#signer = next;
      this.#judged = { rootPem: '', leads: true };
      this.#lastFailure = '';
      if (before?.fingerprint !== after?.fingerprint && after !== undefined)
        log.info(
          `the reserve intermediate was replaced: it signs until ${new Date(after.notAfter).toISOString()}`,
        );
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#lastFailure) log.error(`the reserve cannot be read again: ${reason}`);
      this.#lastFailure = reason;
    }
  }

  /** @throws CaRefusal `signer-unavailable` for one that has ended, or whose root the mesh trusts no more */
  #usable(now: number): FileSigner {
    const reason = this.#wrong(now);
    if (reason === undefined) return this.#signer;
    throw new CaRefusal('signer-unavailable', 'the signer is not available, try again', reason);
  }

  #wrong(now: number): string | undefined {
    if (this.end <= now) return 'the reserve has ended';
    return this.#leads(now) ? undefined : 'the mesh trusts its root no more';
  }

  /** Judged once for each set of roots. */
  #leads(now: number): boolean {
    const { roots, rootPem } = this.#options.mesh();
    if (this.#judged.rootPem !== rootPem) {
      const { certificate: leaf, chain: intermediates } = this.#signer.trust();
      const findings = judgeChain({ leaf, intermediates, roots, now, purpose: 'ca' });
      this.#judged = { rootPem, leads: findings.every(({ severity }) => severity === 'warning') };
    }
    return this.#judged.leads;
  }

  #told(issued: Issued): Issued {
    return { ...issued, trust: this.trust() };
  }
}
