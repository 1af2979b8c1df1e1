import type { Readable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { isRecord } from '../lib/records.ts';
import type { Secret } from '../lib/secret.ts';
import type {
  AccessQuestion,
  DeleteOptions,
  IssuedToken,
  KubeApi,
  KubeObject,
  LogOptions,
  ObjectRef,
  ObjectType,
  PatchKind,
  Selection,
  TokenRequestOptions,
  TokenReviewResult,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import type { Endpoint } from './endpoint.ts';
import { KubeError } from './errors.ts';
import { jsonLines } from './json-lines.ts';
import { asKubeList, asKubeObject, recordOf } from './kube-object.ts';
import { listWatch, type WatchSource } from './list-watch.ts';
import { builtInResource, groupPath, type Resource, resourcePath } from './resources.ts';
import * as reviews from './reviews.ts';
import { Transport } from './transport.ts';

const patchTypes: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** kubernetes.io/docs/reference/using-api/api-concepts: metadata-only fetches */
const metadataAlone = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

const pageSize = 500;
/** Seconds after which the server ends a watch; we then resume. Spread by up to as much again. */
const watchSeconds = 240;

/** KubeApi over REST; see api.ts for what each call promises. */
export class RestApi implements KubeApi {
  readonly server: string;
  readonly namespace: string;
  readonly #endpoint: Endpoint;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #discovered = new Map<string, Promise<Resource>>();

  /** @param connections most of them at one time */
  constructor(endpoint: Endpoint, clock: Clock, random: () => number, connections?: number) {
    this.server = endpoint.server;
    this.#endpoint = endpoint;
    this.namespace = endpoint.namespace || 'default';
    this.#transport = new Transport(endpoint, { connections, clock });
    this.#clock = clock;
    this.#random = random;
  }

  async authority(): Promise<string | undefined> {
    const { ca } = (await this.#endpoint.credentials()).tls;
    return ca?.toString();
  }

  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    try {
      return asKubeObject(
        await this.#transport.json({ method: 'GET', path: await this.#path(ref, ref) }),
        ref,
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(type: ObjectType, selection: Selection = {}): Promise<KubeObject[]> {
    return (await this.#list(type, selection)).items;
  }

  async create(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const { name, namespace } = object.metadata;
    const { subresource } = options;
    const path = await this.#path(object, { namespace, name: subresource && name, subresource });
    const query = writeQuery(options);
    return asKubeObject(await this.#transport.json({ method: 'POST', path, query, body: object }), object);
  }

  async replace(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const { name, namespace } = object.metadata;
    const path = await this.#path(object, { name, namespace, subresource: options.subresource });
    const query = writeQuery(options);
    return asKubeObject(await this.#transport.json({ method: 'PUT', path, query, body: object }), object);
  }

  async patch(
    ref: ObjectRef,
    patch: unknown,
    kind: PatchKind,
    options: WriteOptions = {},
  ): Promise<KubeObject> {
    const subresource = options.subresource ?? ref.subresource;
    const path = await this.#path(ref, { ...ref, subresource });
    const query = { ...writeQuery(options), ...(kind === 'apply' ? { force: true } : {}) };
    const contentType = patchTypes[kind];
    return asKubeObject(
      await this.#transport.json({ method: 'PATCH', path, query, body: patch, contentType }),
      ref,
    );
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, ...rest } = options;
    const asked = uid !== undefined || resourceVersion !== undefined;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...rest,
      ...(asked ? { preconditions: { uid, resourceVersion } } : {}),
    };
    try {
      await this.#transport.json({ method: 'DELETE', path: await this.#path(ref, ref), body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async watch(
    type: ObjectType,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const source: WatchSource = {
      list: () => this.#list(type, options, signal),
      follow: (resourceVersion) => this.#follow(type, options, resourceVersion, signal),
    };
    const { onProblem } = options;
    await listWatch({ source, onEvent, onProblem, signal, clock: this.#clock, random: this.#random });
  }

  async tokenRequest(
    namespace: string,
    serviceAccount: string,
    options: TokenRequestOptions,
  ): Promise<IssuedToken> {
    const path = await this.#path(
      { apiVersion: 'v1', kind: 'ServiceAccount' },
      { namespace, name: serviceAccount, subresource: 'token' },
    );
    return reviews.parseIssuedToken(await this.request('POST', path, reviews.tokenRequestBody(options)));
  }

  async tokenReview(token: Secret<string>, audiences?: readonly string[]): Promise<TokenReviewResult> {
    const body = reviews.tokenReviewBody(token, audiences);
    return reviews.parseTokenReview(
      await this.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', body),
    );
  }

  async subjectAccessReview(question: AccessQuestion): Promise<{ allowed: boolean; reason?: string }> {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    return reviews.parseAccessReview(await this.request('POST', path, reviews.accessReviewBody(question)));
  }

  async selfSubjectAccessReview(
    attributes: NonNullable<AccessQuestion['resourceAttributes']>,
  ): Promise<{ allowed: boolean; reason?: string }> {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = reviews.selfAccessReviewBody(attributes);
    return reviews.parseAccessReview(await this.request('POST', path, body));
  }

  async podLog(
    namespace: string,
    pod: string,
    options: LogOptions = {},
    signal?: AbortSignal,
  ): Promise<Readable> {
    const path = await this.#path(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace, name: pod, subresource: 'log' },
    );
    return await this.#transport.stream({
      method: 'GET',
      path,
      query: { ...options },
      accept: '*/*',
      signal,
    });
  }

  request(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#transport.json({ method, path, body });
  }

  close(): void {
    this.#transport.close();
  }

  async #list(
    type: ObjectType,
    { namespace, labelSelector, fieldSelector, metadataOnly }: Selection,
    signal?: AbortSignal,
  ): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    const path = await this.#path(type, { namespace });
    const items: KubeObject[] = [];
    for (let token: string | undefined; ; ) {
      const query = { labelSelector, fieldSelector, limit: pageSize, continue: token };
      const accept = metadataOnly === true ? metadataAlone : undefined;
      const page = asKubeList(
        await this.#transport.json({ method: 'GET', path, query, accept, signal }),
        type,
      );
      items.push(...page.items);
      if (page.continueToken === '') return { items, resourceVersion: page.resourceVersion };
      token = page.continueToken;
    }
  }

  async #follow(
    type: ObjectType,
    { namespace, labelSelector, fieldSelector }: Selection,
    resourceVersion: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<unknown>> {
    const timeoutSeconds = Math.round(watchSeconds * (1 + this.#random()));
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      labelSelector,
      fieldSelector,
      timeoutSeconds,
    };
    const path = await this.#path(type, { namespace });
    const answer = await this.#transport.stream({ method: 'GET', path, query, signal });
    // A connection that died without a word (sleep, NAT) must not look like a quiet cluster for ever.
    answer.setTimeout((timeoutSeconds + 30) * 1000, () => answer.destroy(new Error('the watch fell silent')));
    return jsonLines(answer);
  }

  async #path(type: ObjectType, at: Parameters<typeof resourcePath>[2]): Promise<string> {
    return resourcePath(type, builtInResource(type) ?? (await this.#discover(type)), at);
  }

  #discover(type: ObjectType): Promise<Resource> {
    const key = `${type.apiVersion}/${type.kind}`;
    let found = this.#discovered.get(key);
    if (found === undefined) {
      found = this.#askDiscovery(type);
      this.#discovered.set(key, found);
      found.catch(() => this.#discovered.delete(key));
    }
    return found;
  }

  async #askDiscovery(type: ObjectType): Promise<Resource> {
    const answer = recordOf(await this.request('GET', groupPath(type.apiVersion)));
    const resources = Array.isArray(answer.resources) ? answer.resources.filter(isRecord) : [];
    const found = resources.find((r) => r.kind === type.kind && !String(r.name).includes('/'));
    if (found === undefined) {
      const message = `this cluster does not know the kind ${type.kind} of ${type.apiVersion}`;
      throw new KubeError('kube-unknown-kind', message, { reason: 'NotFound', exit: 1 });
    }
    return { plural: String(found.name), namespaced: found.namespaced === true };
  }
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return {
    fieldManager: options.fieldManager ?? 'meshroot',
    dryRun: options.dryRun === true ? 'All' : undefined,
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'kube-not-found';
}
