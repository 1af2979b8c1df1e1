import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { AclAnswer } from '../policy/acl.ts';
import { authenticate } from './authenticate.ts';
import { type Context, fieldsOf, type RouteMatch } from './backend.ts';
import type { Random } from './barrier.ts';
import { envelope } from './envelope.ts';
import { pageOf } from './list-page.ts';
import { isReading } from './listing.ts';
import { fullPath, viewPrefix } from './mount-entry.ts';
import { withParameterWarnings } from './parameter-warnings.ts';
import { multiError, nothingHere, Refusal, refuse, refuseWrapped } from './refusal.ts';
import type { Operation, Reply, Result, VaultRequest } from './request.ts';
import type { RequestAuth } from './request-auth.ts';
import type { Mounted } from './router.ts';
import type { Services } from './services.ts';
import type { Transaction } from './storage.ts';
import { spendUse } from './token-uses.ts';
import { wrapResult } from './wrapping.ts';

export interface Environment {
  readonly services: Services;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What is known about a call on its way; filled from top to bottom. */
interface Call extends Environment {
  readonly request: VaultRequest;
  readonly started: number;
  operation: Operation;
  mounted: Mounted | undefined;
  match: RouteMatch | undefined;
  auth: RequestAuth | undefined;
  acl: AclAnswer | undefined;
}

const maxAttempts = 16;
/** Storage keys are made of paths, and LMDB's keys end at 1978 bytes: a longer one must not look like a broken disk. */
const maxPathBytes = 1024;

/** One call against an open store: who, may they, record, do, record, answer. Never throws. */
export async function handleRequest(environment: Environment, request: VaultRequest): Promise<Reply> {
  const { clock, services } = environment;
  const call: Call = {
    ...environment,
    request,
    started: clock.now(),
    operation: request.operation,
    mounted: services.router.find(request.path),
    match: undefined,
    auth: undefined,
    acl: undefined,
  };
  const reply = await withinQuota(call);
  const mount = call.mounted === undefined ? 'none' : fullPath(call.mounted.entry);
  services.metrics.request(
    { mount, operation: call.operation, status: reply.status },
    clock.now() - call.started,
  );
  return reply;
}

/** Too many requests of one address go no further; who reads the audit log sees them only when asked for. */
async function withinQuota(call: Call): Promise<Reply> {
  const { quotas, metrics } = call.services;
  const { refusal, headers, name } = quotas.admit(call.request, call.mounted, call.started);
  const { enable_rate_limit_response_headers: shows, enable_rate_limit_audit_logging: audits } =
    quotas.config;
  const reply = refusal === undefined ? await answer(call) : await refuseLimited(call, refusal, audits);
  if (refusal !== undefined) metrics.limited(name);
  return shows ? { ...reply, headers } : reply;
}

async function refuseLimited(call: Call, refusal: Refusal, audits: boolean): Promise<Reply> {
  try {
    if (audits) await record(call, 'request', refusal);
    return replyOf(call, refusal);
  } catch (error) {
    return replyOf(call, error);
  }
}

async function answer(call: Call): Promise<Reply> {
  const refusal = admit(call);
  try {
    const recorded = record(call, 'request', refusal);
    if (recorded !== undefined) await recorded;
  } catch (error) {
    return replyOf(call, error);
  }
  let outcome: Result | Refusal;
  try {
    // A route that wants no token costs none of its uses; a wrapping token is spent by unwrapping.
    const isOpen = call.match?.route.open === true;
    if (!isOpen && call.auth !== undefined && call.auth.token.numUses > 0) {
      call.auth = await spendUse(call, call.auth);
    }
    outcome = refusal ?? (await perform(call));
  } catch (error) {
    outcome = asRefusal(call, error);
  }
  try {
    const recorded = record(call, 'response', outcome instanceof Refusal ? outcome : undefined, outcome);
    if (recorded !== undefined) await recorded;
  } catch (error) {
    return replyOf(call, error);
  }
  return outcome instanceof Refusal ? replyOf(call, outcome) : toReply(call, outcome);
}

/** Finds route and caller; undefined when the call may go on. */
function admit(call: Call): Refusal | undefined {
  const { request, services, mounted } = call;
  if (Buffer.byteLength(request.path) > maxPathBytes)
    return refuse('the path is too long', 400, 'path-too-long');
  const store = services.storage.begin(false);
  call.match = mounted?.backend.match(request.path.slice(fullPath(mounted.entry).length));
  const isOpen = call.match?.route.open === true;
  const who = isOpen && request.token === undefined ? undefined : authenticate(services, store, request);
  if (who instanceof Refusal) return isOpen ? undefined : who;
  call.auth = who;
  const { token } = who ?? {};
  if (token?.wrapping !== undefined && !isOpen) {
    return refuseWrapped('permission denied', 403, 'wrapping-token');
  }
  if (who === undefined || isOpen) return undefined;
  call.operation = writeKind(call, store);
  call.acl = who.acl.allows({
    operation: call.operation,
    path: request.path,
    data: request.data,
    needsSudo: call.match?.route.sudo === true,
    wrapTtl: request.wrapTtl,
  });
  return call.acl.allowed ? undefined : refuseWrapped('permission denied', 403, 'policy');
}

/** A write is a `create` where the route can tell that nothing is there yet. */
function writeKind(call: Call, store: Transaction): Operation {
  const { operation } = call.request;
  const exists = call.match?.route.exists;
  if (operation !== 'update' || exists === undefined) return operation;
  try {
    const context = contextOf(call, store);
    return context !== undefined && !exists(context) ? 'create' : 'update';
  } catch {
    return operation; // wrong fields are refused later, by name
  }
}

function contextOf(call: Call, transaction: Transaction): Context | undefined {
  const { request, mounted, match } = call;
  if (mounted === undefined || match === undefined) return undefined;
  return {
    request,
    operation: call.operation,
    path: request.path.slice(fullPath(mounted.entry).length),
    mount: mounted.entry,
    store: transaction.at(viewPrefix(mounted.entry)),
    transaction,
    fields: fieldsOf(match, request.data, call.operation),
    data: request.data,
    auth: call.auth,
    services: call.services,
    clock: call.clock,
    random: call.random,
    log: call.log,
  };
}

/** Runs the handler; again when what it read was changed by another call before it could commit. */
async function perform(call: Call): Promise<Result> {
  const { request, mounted, match } = call;
  if (mounted === undefined) {
    throw refuse(`no handler for route "${request.path}". route entry not found.`, 404, 'no-mount');
  }
  if (match === undefined) throw refuseWrapped('unsupported path', 404, 'unsupported-path');
  const isWrite = !isReading(call.operation);
  if (isWrite && request.path.endsWith('/') && call.operation !== 'delete') {
    throw refuse("cannot write to a path ending in '/'");
  }
  const { operations } = match.route;
  const handler = operations[call.operation] ?? (call.operation === 'create' ? operations.update : undefined);
  if (handler === undefined) throw refuseWrapped('unsupported operation', 405, 'unsupported-operation');
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (isWrite) refuseChangedMount(call, mounted);
    const transaction = call.services.storage.begin(isWrite);
    const context = contextOf(call, transaction);
    if (context === undefined) break;
    const pending = handler(context);
    // A handler that did not have to wait is committed in the same turn: nobody can come between.
    const whole = pending instanceof Promise ? await pending : pending;
    const done = withParameterWarnings(pageOf(whole, request, call.acl?.limit), match, request.data);
    const result = request.wrapTtl === undefined ? done : wrapResult(context, done, request.wrapTtl);
    if (transaction.isEmpty) return result ?? empty(call);
    const committed = transaction.commit();
    if (committed === undefined) continue;
    await committed;
    return result ?? empty(call);
  }
  throw refuseWrapped('too many concurrent changes', 500, 'conflict');
}

/** While a call was recorded its mount may have gone, or got versions: what it would write then, nobody could read. */
function refuseChangedMount({ services, request }: Call, { entry }: Mounted): void {
  const now = services.router.get(fullPath(entry))?.entry;
  if (now?.uuid !== entry.uuid)
    throw refuse(`no handler for route "${request.path}". route entry not found.`, 404, 'no-mount');
  if (now.options?.version === entry.options?.version) return;
  throw refuse(
    'Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.',
  );
}

/** A read that found nothing is 404; a write that has nothing to say is 204. */
function empty(call: Call): Result {
  if (isReading(call.operation)) throw nothingHere();
  return { status: 204 };
}

function toReply(call: Call, result: Result): Reply {
  if (result.status === 204 && result.raw === undefined) return { status: 204 };
  return envelope(call.request.id, result);
}

function record(
  call: Call,
  type: 'request' | 'response',
  refusal?: Refusal,
  outcome?: Result | Refusal,
): void | Promise<void> {
  const { services, request, operation, mounted, auth, acl } = call;
  if (services.audit.isEmpty) return;
  const error = refusal === undefined ? undefined : auditError(type, refusal);
  const result = outcome instanceof Refusal ? undefined : outcome;
  return services.audit.record({
    type,
    time: call.clock.now(),
    request,
    headers: services.auditedHeaders.of(request),
    operation,
    mounted,
    auth,
    acl,
    error,
    result,
  });
}

/** Upstream wraps what the core refused; the reason stays ours (log and metrics). */
function auditError(type: 'request' | 'response', refusal: Refusal): string {
  const text = refusal.errors[0] ?? '';
  return type === 'response' && text === 'permission denied' ? multiError(text) : text;
}

function asRefusal(call: Call, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  call.log.error('a request failed', { path: call.request.path, error: messageOf(error) });
  return refuseWrapped('internal error', 500, 'internal');
}

function replyOf(call: Call, error: unknown): Reply {
  const refusal = asRefusal(call, error);
  const status = refusal.status ?? 500;
  if (status === 403 || (status === 400 && call.match?.route.login === true)) noteDenial(call, refusal);
  const warning =
    status === 404 && refusal.errors.length === 0 ? call.mounted?.backend.wrongPathWarning : undefined;
  const warns = warning !== undefined && call.match?.route.path === '*path';
  return { status, body: { errors: refusal.errors, ...(warns ? { warnings: [warning] } : {}) } };
}

/** Vault's own log cannot tell why a 403 was a 403; ours says it, and counts it. */
function noteDenial(call: Call, refusal: Refusal): void {
  const mount = call.mounted === undefined ? 'none' : fullPath(call.mounted.entry);
  const asked = call.match?.route.login === true ? call.request.data.role : call.auth?.token.role;
  // A name that is no role is anybody's invention: it must not make a new time series.
  const role = typeof asked === 'string' && refusal.status === 403 ? asked.slice(0, 100) : '';
  call.services.metrics.denied({ mount, role, reason: refusal.code });
  call.log.warn('permission denied', {
    reason: refusal.code,
    why: refusal.message,
    mount,
    role,
    path: call.request.path,
    operation: call.operation,
    request: call.request.id,
    remote: call.request.remoteAddress,
  });
}
