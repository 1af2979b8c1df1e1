import type { Readable } from 'node:stream';
import type { Secret } from '../lib/secret.ts';

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
    controller?: boolean;
    blockOwnerDeletion?: boolean;
  }[];
  [field: string]: unknown;
}

/** Any Kubernetes object as it is on the wire; a room parses the fields it reads. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** A kind, e.g. `{ apiVersion: 'apps/v1', kind: 'Deployment' }`. */
export interface ObjectType {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One object; `subresource` is `status`, `scale`, `binding`, … */
export interface ObjectRef extends ObjectType {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Names, labels and annotations alone (PartialObjectMetadata): what a Secret holds does not travel. */
  readonly metadataOnly?: boolean | undefined;
}

export type PatchKind = 'merge' | 'json' | 'strategic' | 'apply';

export interface WriteOptions {
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  /** Delete only the object of this uid: another one of the same name stays (409 otherwise). */
  readonly uid?: string | undefined;
  /** Delete it only as it was then: one that was changed since stays (409 otherwise). */
  readonly resourceVersion?: string | undefined;
}

/** `SYNCED` is ours: every object that was there has been told; it comes once per (re)list. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'SYNCED' };

export interface WatchOptions extends Selection {
  /** Told about each problem that the watch got over by itself (lost connection, server restart). */
  readonly onProblem?: ((error: unknown) => void) | undefined;
}

export interface TokenRequestOptions {
  /** Empty or absent: the API server's own audience. */
  readonly audiences?: readonly string[] | undefined;
  /** At least 600 on a real API server. */
  readonly expirationSeconds?: number | undefined;
  /** The token dies with this pod. */
  readonly boundPod?: { readonly name: string; readonly uid: string } | undefined;
}

export interface IssuedToken {
  readonly token: Secret<string>;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface TokenReviewResult {
  readonly authenticated: boolean;
  /** Why not, when not. */
  readonly error?: string;
  /** `system:serviceaccount:<namespace>:<name>` for service accounts. */
  readonly username?: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** Those asked for that the token has. */
  readonly audiences: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface AccessQuestion {
  readonly user: string;
  readonly groups?: readonly string[] | undefined;
  readonly uid?: string | undefined;
  readonly resourceAttributes?:
    | {
        readonly verb: string;
        readonly resource: string;
        readonly group?: string;
        readonly subresource?: string;
        readonly namespace?: string;
        readonly name?: string;
      }
    | undefined;
  readonly nonResourceAttributes?: { readonly verb: string; readonly path: string } | undefined;
}

export interface LogOptions {
  readonly container?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly previous?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly limitBytes?: number | undefined;
}

/**
 * One Kubernetes API server, as one user. Every failure is a `KubeError` (a MeshrootError, see errors.ts), except that
 * reading what is not there gives `undefined` and deleting what is not there is done.
 */
export interface KubeApi {
  /** URL of the API server. */
  readonly server: string;
  /** PEM of the authority that the API server's certificate is checked with; undefined = the system's own. */
  authority(): Promise<string | undefined>;
  /** Namespace of the kubeconfig context or of the pod; `default` otherwise. */
  readonly namespace: string;

  get(ref: ObjectRef): Promise<KubeObject | undefined>;
  /** The whole list (pages are followed). */
  list(type: ObjectType, selection?: Selection): Promise<KubeObject[]>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Refused with `kube-conflict` when `metadata.resourceVersion` is given and no longer current. */
  replace(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  patch(ref: ObjectRef, patch: unknown, kind: PatchKind, options?: WriteOptions): Promise<KubeObject>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;

  /**
   * Lists, then follows changes until `signal` is aborted (then it resolves). Lost connections are resumed from the last
   * seen version, and a version that is too old (410) leads to a new list whose differences are told as events.
   * Rejects only when the very first list is refused for good (401, 403, 404, 400).
   */
  watch(
    type: ObjectType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;

  tokenRequest(namespace: string, serviceAccount: string, options: TokenRequestOptions): Promise<IssuedToken>;
  tokenReview(token: Secret<string>, audiences?: readonly string[]): Promise<TokenReviewResult>;
  subjectAccessReview(question: AccessQuestion): Promise<{ allowed: boolean; reason?: string }>;
  /** May this very user do it. */
  selfSubjectAccessReview(
    attributes: NonNullable<AccessQuestion['resourceAttributes']>,
  ): Promise<{ allowed: boolean; reason?: string }>;

  /** The log as it comes; with `follow` until the container ends or `signal` is aborted. */
  podLog(namespace: string, pod: string, options?: LogOptions, signal?: AbortSignal): Promise<Readable>;

  /** Any other path, JSON in and out: `/version`, `/readyz`, … */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Lets go of idle connections. */
  close(): void;
}
