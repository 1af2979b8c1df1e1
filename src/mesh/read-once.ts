import { VaultClient } from '../client/vault-client.ts';
import type { VaultResponse } from '../client/vault-response.ts';
import { MeshrootError } from '../lib/errors.ts';

/** A question in the shape of a write. */
const capabilities = 'sys/capabilities-self';

/**
 * Reads each path once, however many resources look at it: a plan is one look at the world, and a thousand clusters
 * share the tables of mounts. A path that is written is read anew; so is one whose answer was no answer.
 */
export class ReadOnceVault extends VaultClient {
  readonly #inner: VaultClient;
  readonly #reads = new Map<string, Promise<VaultResponse | undefined>>();
  readonly #lists = new Map<string, Promise<string[]>>();

  readonly #keeps: (path: string) => boolean;

  /** @param keeps which paths are worth remembering; all of them unless told otherwise */
  constructor(inner: VaultClient, keeps: (path: string) => boolean = () => true) {
    super({ address: 'http://read-once.invalid' }); // never asked: every call goes to `inner`
    this.#inner = inner;
    this.#keeps = keeps;
  }

  override read(path: string): Promise<VaultResponse | undefined> {
    if (!this.#keeps(path)) return this.#inner.read(path);
    return remember(this.#reads, path, () => this.#inner.read(path));
  }

  override list(path: string): Promise<string[]> {
    if (!this.#keeps(path)) return this.#inner.list(path);
    return remember(this.#lists, path, () => this.#inner.list(path));
  }

  override write(
    path: string,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<VaultResponse | undefined> {
    this.#reads.delete(path);
    if (path !== capabilities || !this.#keeps(path)) return this.#inner.write(path, data);
    return remember(this.#reads, `${path} ${JSON.stringify(data)}`, () => this.#inner.write(path, data));
  }

  override delete(path: string): Promise<void> {
    this.#reads.delete(path);
    return this.#inner.delete(path);
  }
}

function remember<T>(known: Map<string, Promise<T>>, path: string, ask: () => Promise<T>): Promise<T> {
  const found = known.get(path);
  if (found !== undefined) return found;
  const asked = ask();
  known.set(path, asked);
  asked.catch((error: unknown) => {
    const denied = error instanceof MeshrootError && error.status === 403; // and would be again, in the audit log too
    if (!denied && known.get(path) === asked) known.delete(path);
  });
  return asked;
}
