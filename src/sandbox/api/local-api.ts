import type { ApiServer } from './api-server.ts';
import type { ApiObject, Fields } from './fields.ts';
import { type Kind, kindOfObject } from './kinds.ts';
import { pathOf } from './request-info.ts';
import { type StatusBody, StatusError } from './status-error.ts';
import { loopback, type UserInfo } from './user.ts';

export interface LocalRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** A client within the process, through the same admission and validation as any other, but without a socket. */
export class LocalApi {
  readonly #api: ApiServer;
  readonly #user: UserInfo;

  constructor(api: ApiServer, user: UserInfo = loopback) {
    this.#api = api;
    this.#user = user;
  }

  /** @throws StatusError */
  async request(method: string, path: string, o: LocalRequest = {}): Promise<Fields> {
    const reply = await this.#api.handle({
      method,
      path,
      query: new URLSearchParams(o.query ?? {}),
      headers: { 'content-type': o.contentType ?? 'application/json' },
      body: o.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(o.body)),
      user: this.#user,
      signal: new AbortController().signal,
    });
    const body = typeof reply.body === 'object' ? reply.body : {};
    if (reply.status < 400) return body;
    const { code, reason = '', message = '', details } = body as unknown as StatusBody; // every refusal is one
    throw new StatusError(code, reason, message, details);
  }

  async create(object: Fields & Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<ApiObject> {
    const kind = kindOfObject(object.apiVersion, object.kind);
    if (kind === undefined) throw new TypeError(`no such kind: ${object.apiVersion} ${object.kind}`);
    const path = pathOf(kind, object.metadata.namespace ?? '');
    return (await this.request('POST', path, { body: object })) as ApiObject; // what a POST gives back
  }

  /** Like `create`, but the object may be there already. */
  async ensure(object: Fields & Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<void> {
    try {
      await this.create(object);
    } catch (error) {
      if (!(error instanceof StatusError) || error.body.reason !== 'AlreadyExists') throw error;
    }
  }

  async mergePatch(kind: Kind, object: ApiObject, patch: Fields, subresource = ''): Promise<void> {
    const path = pathOf(kind, object.metadata.namespace ?? '', object.metadata.name ?? '', subresource);
    await this.request('PATCH', path, { body: patch, contentType: 'application/merge-patch+json' });
  }

  /** Deletes this very object, not a later one of its name; that it is gone already is no error. */
  async delete(kind: Kind, object: ApiObject, options: Fields = {}): Promise<void> {
    const path = pathOf(kind, object.metadata.namespace ?? '', object.metadata.name ?? '');
    const preconditions = { uid: object.metadata.uid };
    try {
      await this.request('DELETE', path, {
        body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, ...options },
      });
    } catch (error) {
      if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error;
    }
  }
}
