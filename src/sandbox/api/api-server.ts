import { messageOf } from '../../lib/errors.ts';
import { parseAccept } from './accept.ts';
import { authenticate } from './authenticate.ts';
import { discover, serverVersion } from './discovery.ts';
import type { ApiReply, ApiRequest, Call, Surroundings } from './exchange.ts';
import { handleResource } from './handle-resource.ts';
import { impersonate } from './impersonate.ts';
import { openapi } from './openapi.ts';
import { forbiddenText } from './rbac.ts';
import { parseResourcePath, type ResourceRequest } from './request-info.ts';
import { internal, pathNotFound, StatusError } from './status-error.ts';
import type { UserInfo } from './user.ts';

const bodyOf = (error: StatusError): ApiReply => ({ status: error.code, body: { ...error.body } });

/**
 * A Kubernetes API server without its socket: a request goes in, a reply comes out. Authentication, impersonation,
 * authorization, then the verb. Whatever goes wrong is answered with a Status.
 */
export class ApiServer {
  readonly around: Surroundings;
  /** Where `/.well-known/openid-configuration` says the keys are. */
  readonly #jwksUri: () => string;

  constructor(around: Surroundings, jwksUri: () => string) {
    this.around = around;
    this.#jwksUri = jwksUri;
  }

  async handle(request: ApiRequest): Promise<ApiReply> {
    try {
      const user = await this.#userOf(request);
      return await this.#dispatch(request, user);
    } catch (error) {
      if (error instanceof StatusError) return bodyOf(error);
      return bodyOf(internal(messageOf(error)));
    }
  }

  async #userOf(request: ApiRequest): Promise<UserInfo> {
    if (request.user !== undefined) return request.user;
    const { authorization } = request.headers;
    const user = await authenticate({ certificate: request.certificate, authorization }, this.around.tokens);
    return impersonate(request, user, this.around.rbac);
  }

  async #dispatch(request: ApiRequest, user: UserInfo): Promise<ApiReply> {
    const watch = ['true', '1', ''].includes(request.query.get('watch') ?? 'no');
    const info = parseResourcePath(request.path, request.method, watch);
    if (info === undefined) {
      this.#authorizePath(user, request);
      return await this.#plain(request);
    }
    this.#authorize(user, info, info.name || selectedName(request));
    const accepted = parseAccept(request.headers.accept);
    const call: Call = { request, info, user, accepted, around: this.around, warnings: [] };
    const reply = await handleResource(call);
    if (call.warnings.length === 0) return reply;
    const warning = call.warnings.map((text) => `299 - ${JSON.stringify(text)}`);
    return { ...reply, headers: { ...reply.headers, warning } };
  }

  #authorize(user: UserInfo, info: ResourceRequest, name: string): void {
    const { kind, subresource, namespace } = info;
    // asking for a namespace is asking within it, so that a Role there may allow it
    const scope = kind.group === '' && kind.plural === 'namespaces' ? info.name : namespace;
    const wanted = {
      verb: info.verb,
      group: kind.group,
      resource: kind.plural,
      subresource,
      namespace: scope,
      name,
    };
    if (this.around.rbac.authorize(user, wanted).allowed) return;
    const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
    const who = name === '' ? resource : `${resource} "${name}"`;
    throw new StatusError(403, 'Forbidden', `${who} is forbidden: ${forbiddenText(user, wanted)}`, {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.plural,
    });
  }

  #authorizePath(user: UserInfo, request: ApiRequest): void {
    const wanted = { verb: request.method.toLowerCase(), path: request.path };
    if (this.around.rbac.authorize(user, wanted).allowed) return;
    throw new StatusError(403, 'Forbidden', `forbidden: ${forbiddenText(user, wanted)}`, {});
  }

  async #plain(request: ApiRequest): Promise<ApiReply> {
    const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path;
    if (request.method !== 'GET' && request.method !== 'HEAD') throw pathNotFound();
    if (['/healthz', '/livez', '/readyz'].includes(path))
      return { status: 200, body: 'ok', contentType: 'text/plain' };
    if (path === '/version') return { status: 200, body: serverVersion };
    if (path === '/openid/v1/jwks') {
      return { status: 200, body: await this.around.tokens.jwks(), contentType: 'application/jwk-set+json' };
    }
    if (path === '/.well-known/openid-configuration') {
      return { status: 200, body: this.around.tokens.discovery(this.#jwksUri()) };
    }
    const accepted = parseAccept(request.headers.accept);
    const found = discover(path, accepted);
    if (found !== undefined) {
      const type = `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`;
      const aggregated = found.kind === 'APIGroupDiscoveryList';
      return { status: 200, body: found, ...(aggregated ? { contentType: type } : {}) };
    }
    const document = openapi(path);
    if (document === undefined) throw pathNotFound();
    return { status: 200, body: document };
  }
}

/** Who lists or watches one object by its name may be allowed by a rule for that name (RBAC, "Referring to resources"). */
function selectedName(request: ApiRequest): string {
  if (request.method !== 'GET') return '';
  return /(?:^|,)metadata\.name==?([^,\\]+)(?:,|$)/.exec(request.query.get('fieldSelector') ?? '')?.[1] ?? '';
}
