import type { Agent as HttpAgent } from 'node:http';
import type { Secret } from '../lib/secret.ts';

/** TLS material of one connection; PEM. */
export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: Secret<string | Buffer> | undefined;
  readonly servername?: string | undefined;
  readonly insecure?: boolean | undefined;
}

export interface Credentials {
  readonly tls: TlsMaterial;
  /** Value of the Authorization header. */
  readonly authorization?: Secret<string> | undefined;
  /** A ready agent (proxies); otherwise one is made of `tls`. */
  readonly agent?: HttpAgent | undefined;
}

/** Where an API server is and who we are there. */
export interface Endpoint {
  readonly server: string;
  readonly namespace?: string | undefined;
  /** Asked before every call, so that tokens may change; must be quick and cache by itself. */
  credentials(): Promise<Credentials>;
  /** The server said 401: forget what was cached. */
  refused?(): void;
}
