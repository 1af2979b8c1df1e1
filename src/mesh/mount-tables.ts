import { VaultClient } from '../client/vault-client.ts';
import type { VaultResponse } from '../client/vault-response.ts';
import { MeshrootError } from '../lib/errors.ts';

const tables: ReadonlySet<string> = new Set(['sys/mounts', 'sys/auth']);

/**
 * Reads the tables of mounts once and keeps them right by reading, after each own write, the one row that it changed:
 * a thousand clusters with three mounts each would otherwise read three thousand rows many thousand times.
 * @see https://developer.hashicorp.com/vault/api-docs/system/mounts#get-the-configuration-of-a-secret-engine
 */
export class MountTablesVault extends VaultClient {
  readonly #inner: VaultClient;
  readonly #tables = new Map<string, Promise<VaultResponse | undefined>>();

  constructor(inner: VaultClient) {
    super({ address: 'http://mount-tables.invalid' }); // never asked: every call goes to `inner`
    this.#inner = inner;
  }

  override read(path: string): Promise<VaultResponse | undefined> {
    if (!tables.has(path)) return this.#inner.read(path);
    const known = this.#tables.get(path) ?? this.#inner.read(path);
    this.#tables.set(path, known);
    known.catch(() => this.#tables.delete(path)); // asked again by the next reader; told by this one
    return known;
  }

  override list(path: string): Promise<string[]> {
    return this.#inner.list(path);
  }

  override async write(
    path: string,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<VaultResponse | undefined> {
    try {
      return await this.#inner.write(path, data);
    } finally {
      await this.#refresh(path);
    }
  }

  override async delete(path: string): Promise<void> {
    try {
      await this.#inner.delete(path);
    } finally {
      await this.#refresh(path);
    }
  }

  async #refresh(path: string): Promise<void> {
    const [, table = '', mount = ''] = /^(sys\/(?:mounts|auth))\/(.+?)(?:\/tune)?$/.exec(path) ?? [];
    const known = this.#tables.get(table);
    if (known === undefined) return;
    const before = await known.catch(() => undefined);
    const row = await this.#inner.read(`${table}/${mount}`).catch(notThere);
    if (before === undefined || row === 'unknown') this.#tables.delete(table);
    else if (before.data !== null) put(before.data as Record<string, unknown>, `${mount}/`, row?.data);
  }
}

function put(rows: Record<string, unknown>, key: string, row: unknown): void {
  if (row === undefined || row === null) delete rows[key];
  else rows[key] = row;
}

/** No such mount is 400 (or 404); anything else (older servers, no permission for the row) means the table is read anew. */
function notThere(error: unknown): undefined | 'unknown' {
  const gone =
    error instanceof MeshrootError && /no (secret engine|auth engine)|no matching mount/i.test(error.message);
  return gone ? undefined : 'unknown';
}
