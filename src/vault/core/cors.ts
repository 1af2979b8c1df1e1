import { refuse } from './refusal.ts';
import type { StorageView } from './storage.ts';

export interface CorsConfig {
  readonly allowed_origins: readonly string[];
  /** Beside those that Vault's own clients send. */
  readonly allowed_headers: readonly string[];
}

export const corsPath = 'core/cors';

const standardHeaders = [
  'Content-Type',
  'X-Requested-With',
  'X-Vault-AWS-IAM-Server-ID',
  'X-Vault-MFA',
  'X-Vault-No-Request-Forwarding',
  'X-Vault-Wrap-Format',
  'X-Vault-Wrap-TTL',
  'X-Vault-Policy-Override',
  'Authorization',
  'X-Vault-Token',
];
const methods = ['DELETE', 'GET', 'OPTIONS', 'POST', 'PUT', 'LIST', 'SCAN'];

/** Which web pages may call. Off until it is configured. */
export class Cors {
  config: CorsConfig | undefined;

  load(store: StorageView): void {
    this.config = store.get<CorsConfig>(corsPath);
  }

  get allowedHeaders(): readonly string[] {
    return [...standardHeaders, ...(this.config?.allowed_headers ?? [])];
  }

  /**
   * What the answer to a call from `origin` must say; `wanted` is the method that a preflight asks for.
   * @throws Refusal 403 for an origin that is not allowed, 405 for a method that is none
   */
  headersFor(origin: string | undefined, wanted: string | undefined): Readonly<Record<string, string>> {
    if (this.config === undefined || origin === undefined) return {};
    const origins = this.config.allowed_origins;
    if (!origins.includes('*') && !origins.some((known) => known.toLowerCase() === origin.toLowerCase())) {
      throw refuse('origin not allowed', 403, 'bad-origin');
    }
    const base = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
    if (wanted === undefined) return base;
    if (!methods.includes(wanted)) throw refuse('unsupported operation', 405, 'unsupported-operation');
    return {
      ...base,
      'Access-Control-Allow-Methods': methods.join(','),
      'Access-Control-Allow-Headers': this.allowedHeaders.join(','),
      'Access-Control-Max-Age': '300',
    };
  }
}
