import { AsyncLocalStorage } from 'node:async_hooks';
import type { Issued, ServingOrder, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';

const requests = new AsyncLocalStorage<{ id?: string }>();

/** For `TransitOptions.onRequest`: the id of the Vault request that is being made for the current certificate. */
export function noteVaultRequest(id: string): void {
  const current = requests.getStore();
  if (current !== undefined) current.id = id;
}

/** A signer whose key is in Vault's transit engine, with the id of each of Vault's requests beside the certificate. */
export class TransitSigner implements Signer {
  readonly #inner: Signer;

  constructor(inner: Signer) {
    this.#inner = inner;
  }

  trust(): TrustSet {
    return this.#inner.trust();
  }

  signWorkload(order: WorkloadOrder): Promise<Issued> {
    return noted(() => this.#inner.signWorkload(order));
  }

  signServing(order: ServingOrder): Promise<Issued> {
    return noted(() => this.#inner.signServing(order));
  }
}

async function noted(sign: () => Promise<Issued>): Promise<Issued> {
  const request: { id?: string } = {};
  const issued = await requests.run(request, sign);
  return { ...issued, requestId: request.id };
}
