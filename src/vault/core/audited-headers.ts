import type { VaultRequest } from './request.ts';
import type { StorageView } from './storage.ts';

/** By lower-case name. */
export type HeaderSettings = Readonly<Record<string, { readonly hmac: boolean }>>;

export interface AuditedHeader {
  readonly name: string;
  readonly values: readonly string[];
  readonly hmac: boolean;
}

const path = 'core/audited-headers';
/** Never in clear, whatever was asked for: they are as good as a login. */
const secrets = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-vault-token']);

/** Which headers of a request its audit records show. None until somebody names them. */
export class AuditedHeaders {
  settings: HeaderSettings = {};

  load(store: StorageView): void {
    this.settings = store.get<HeaderSettings>(path) ?? {};
  }

  static read(store: StorageView): HeaderSettings {
    return store.get<HeaderSettings>(path) ?? {};
  }

  static put(store: StorageView, settings: HeaderSettings): void {
    store.put(path, settings);
  }

  of({ headers }: Pick<VaultRequest, 'headers'>): AuditedHeader[] {
    if (Object.keys(this.settings).length === 0) return [];
    return Object.entries(headers).flatMap(([sent, value]) => {
      const name = sent.toLowerCase();
      const wanted = Object.hasOwn(this.settings, name) ? this.settings[name] : undefined;
      if (wanted === undefined || value === undefined) return [];
      const values = typeof value === 'string' ? [value] : value;
      return [{ name, values, hmac: wanted.hmac || secrets.has(name) }];
    });
  }
}
