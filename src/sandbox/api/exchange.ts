import type { Clock } from '../../lib/clock.ts';
import type { Accepted } from './accept.ts';
import type { ServiceResolver } from './admission/webhook-call.ts';
import type { ClientCertificate } from './authenticate.ts';
import type { Fields } from './fields.ts';
import type { Rbac } from './rbac.ts';
import type { ResourceRequest } from './request-info.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import type { Store } from './store.ts';
import type { UserInfo } from './user.ts';

/** A request, without its socket. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly certificate?: ClientCertificate | undefined;
  /** Set by callers in this process, who need no credentials. */
  readonly user?: UserInfo;
  /** Aborted when the client has gone or the server closes. */
  readonly signal: AbortSignal;
}

export interface ApiReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object to send as JSON or YAML, or plain text. */
  readonly body?: Fields | string;
  /** Sent instead of a body, as it comes. */
  readonly stream?: AsyncIterable<string | Uint8Array>;
  readonly contentType?: string;
}

/** How the API server reaches the kubelets: a client certificate of the cluster's CA. PEM texts. */
export interface KubeletClient {
  readonly certificate: string;
  readonly key: () => string;
  readonly ca: string;
}

/** What every handler has at hand. */
export interface Surroundings {
  readonly store: Store;
  readonly clock: Clock;
  readonly tokens: ServiceAccountTokens;
  readonly rbac: Rbac;
  readonly resolveService: ServiceResolver;
  readonly kubelet: KubeletClient | undefined;
}

/** One authenticated and authorized request for objects. */
export interface Call {
  readonly request: ApiRequest;
  readonly info: ResourceRequest;
  readonly user: UserInfo;
  readonly accepted: Accepted;
  readonly around: Surroundings;
  /** Sent as `Warning: 299` headers. */
  readonly warnings: string[];
}

export const isDryRun = (call: Call): boolean => call.request.query.getAll('dryRun').includes('All');
