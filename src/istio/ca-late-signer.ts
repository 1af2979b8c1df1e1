import { MeshrootError } from '../lib/errors.ts';
import type { Issued, ServingOrder, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';

/** A signer that could not be reached yet: until then its trust is `before`, and it signs nothing. */
export class LateSigner implements Signer {
  readonly #before: TrustSet | undefined;
  #signer: Signer | undefined;

  constructor(signer: Signer | undefined, before: TrustSet | undefined) {
    this.#signer = signer;
    this.#before = before;
  }

  use(signer: Signer): void {
    this.#signer = signer;
  }

  trust(): TrustSet {
    const trust = this.#signer?.trust() ?? this.#before;
    if (trust === undefined) throw away();
    return trust;
  }

  async signWorkload(order: WorkloadOrder): Promise<Issued> {
    return this.#reached().signWorkload(order);
  }

  async signServing(order: ServingOrder): Promise<Issued> {
    return this.#reached().signServing(order);
  }

  #reached(): Signer {
    if (this.#signer === undefined) throw away();
    return this.#signer;
  }
}

/** As a login that failed: the breaker counts it. */
function away(): MeshrootError {
  return new MeshrootError('vault-login', 'the Vault was not reached since the start');
}
