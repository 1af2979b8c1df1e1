import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  IssuedToken,
  KubeApi,
  KubeObject,
  ObjectRef,
  ObjectType,
  TokenRequestOptions,
  TokenReviewResult,
  WatchEvent,
  WatchOptions,
} from '../../kube/api.ts';
import { KubeError } from '../../kube/errors.ts';
import { systemClock } from '../../lib/clock.ts';
import { isRecord } from '../../lib/records.ts';
import { Secret } from '../../lib/secret.ts';

type Listener = (event: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void;

/** An API server in memory with what the kubelet needs of it: CRUD, watches, binding, graceful deletion, tokens. */
export class FakeKube implements KubeApi {
  readonly server = 'https://127.0.0.1:6443';
  readonly namespace = 'default';
  readonly tokenRequests: TokenRequestOptions[] = [];
  /** Life of the tokens it issues, ms. */
  tokenLife = 3_600_000;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<Listener>();
  #version = 0;

  async authority(): Promise<string> {
    return '-----BEGIN CERTIFICATE-----\n';
  }

  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    return structuredClone(this.#objects.get(keyOf(ref, ref.namespace, ref.name)));
  }

  async list(type: ObjectType): Promise<KubeObject[]> {
    return [...this.#objects.values()].filter((object) => object.kind === type.kind);
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const { name, namespace } = object.metadata;
    const key = keyOf(object, namespace, name);
    if (this.#objects.has(key)) throw new KubeError('kube-already-exists', 'exists', { status: 409 });
    return this.#store(key, { ...object, metadata: { uid: randomUUID(), ...object.metadata } }, 'ADDED');
  }

  async replace(object: KubeObject): Promise<KubeObject> {
    return this.#store(keyOf(object, object.metadata.namespace, object.metadata.name), object, 'MODIFIED');
  }

  async patch(ref: ObjectRef, patch: unknown): Promise<KubeObject> {
    const key = keyOf(ref, ref.namespace, ref.name);
    const old = this.#objects.get(key);
    if (old === undefined) throw new KubeError('kube-not-found', 'not found', { status: 404 });
    return this.#store(key, merge(old, patch) as KubeObject, 'MODIFIED');
  }

  async delete(ref: ObjectRef, options: { gracePeriodSeconds?: number } = {}): Promise<void> {
    const key = keyOf(ref, ref.namespace, ref.name);
    const old = this.#objects.get(key);
    if (old === undefined) return;
    if (ref.kind === 'Pod' && options.gracePeriodSeconds !== 0) {
      const deletionTimestamp = new Date(systemClock.now()).toISOString();
      const deletionGracePeriodSeconds = options.gracePeriodSeconds ?? 30;
      this.#store(
        key,
        merge(old, { metadata: { deletionTimestamp, deletionGracePeriodSeconds } }) as KubeObject,
        'MODIFIED',
      );
      return;
    }
    this.#objects.delete(key);
    this.#tell('DELETED', old);
  }

  watch(
    type: ObjectType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = options.fieldSelector?.replace('spec.nodeName=', '');
    const matches = (object: KubeObject): boolean =>
      object.kind === type.kind &&
      (wanted === undefined || ((object.spec as { nodeName?: string })?.nodeName ?? '') === wanted);
    const seen = new Set<string>();
    const listener: Listener = (kind, object) => {
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      if (!matches(object)) {
        if (seen.delete(key)) onEvent({ type: 'DELETED', object });
        return;
      }
      const known = seen.has(key);
      if (kind === 'DELETED') seen.delete(key);
      else seen.add(key);
      onEvent({
        type: kind === 'DELETED' ? kind : known ? 'MODIFIED' : 'ADDED',
        object: structuredClone(object),
      });
    };
    for (const object of this.#objects.values()) listener('ADDED', object);
    onEvent({ type: 'SYNCED' });
    this.#listeners.add(listener);
    return new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        this.#listeners.delete(listener);
        resolve();
      }),
    );
  }

  async tokenRequest(_namespace: string, sa: string, options: TokenRequestOptions): Promise<IssuedToken> {
    this.tokenRequests.push(options);
    const token = new Secret(`token-${sa}-${this.tokenRequests.length}`);
    return { token, expiresAt: systemClock.now() + this.tokenLife };
  }

  async request(_method: string, path: string, body?: unknown): Promise<unknown> {
    const match = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/binding$/.exec(path);
    if (match === null) throw new KubeError('kube-not-found', path, { status: 404 });
    const nodeName = (body as { target: { name: string } }).target.name;
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace: match[1], name: match[2] ?? '' };
    return await this.patch(ref, { spec: { nodeName } });
  }

  tokenReview(): Promise<TokenReviewResult> {
    throw new Error('not in this fake');
  }
  async subjectAccessReview(): Promise<{ allowed: boolean }> {
    return { allowed: false };
  }
  selfSubjectAccessReview(): Promise<{ allowed: boolean }> {
    throw new Error('not in this fake');
  }
  podLog(): Promise<Readable> {
    throw new Error('not in this fake');
  }
  close(): void {}

  /** In order and never within the call that caused it, as over a wire. */
  #tell(kind: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(kind, object);
    });
  }

  #store(key: string, object: KubeObject, kind: 'ADDED' | 'MODIFIED'): KubeObject {
    const stored = merge(object, { metadata: { resourceVersion: String(++this.#version) } }) as KubeObject;
    this.#objects.set(key, stored);
    this.#tell(kind, stored);
    return stored;
  }
}

function keyOf(type: ObjectType, namespace: string | undefined, name: string): string {
  return `${type.kind}/${namespace ?? ''}/${name}`;
}

/** RFC 7386 */
function merge(old: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
