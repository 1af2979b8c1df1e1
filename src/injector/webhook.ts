import type { Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { InjectorMetrics } from './metrics.ts';
import { type ReviewResult, reviewAdmission } from './review.ts';
import type { InjectorSettings } from './settings.ts';

export interface WebhookOptions {
  readonly settings: InjectorSettings;
  readonly metrics: InjectorMetrics;
  /** Where metrics are served; empty for nowhere. */
  readonly telemetryPath: string;
  readonly tls: SecureContextOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told the body of each review that was refused, and the reason. */
  readonly onRefused?: ((review: unknown, message: string) => void) | undefined;
}

export type Webhook = FastifyInstance<Server>;

/** An API server refuses objects above 3 MiB; a review holds two of them at most, and a little around. */
const bodyLimit = 8 * 1024 * 1024;

/**
 * The HTTPS server of the admission webhook: `POST /mutate`, `GET /health/ready`, metrics. Not yet listening.
 * `close()` answers what is under way first; see `drain`.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  const { settings, metrics, clock, log } = options;
  const app: Webhook = fastify({
    https: { ...options.tls },
    bodyLimit,
    requestTimeout: 30_000,
    keepAliveTimeout: 120_000, // longer than the API server keeps idle connections (90 s), so that it closes first
    return503OnClosing: false, // with failurePolicy Fail a 503 would refuse a pod only because we restart
    forceCloseConnections: 'idle',
  });
  takeBodiesUnread(app);
  app.addHook('onError', async (_request, _reply, error) =>
    log.warn('request refused', { error: error.message }),
  );
  app.setErrorHandler((error, _request, reply) => answerError(error, reply));
  app.setNotFoundHandler((_request, reply) => sendText(reply, 404, '404 page not found'));
  app.get('/health/ready', (_request, reply) => reply.code(204).send());
  app.post('/mutate', (request, reply) => {
    const start = clock.now();
    metrics.requestStarted();
    try {
      const body = readBody(request);
      const result = reviewAdmission(body, settings);
      metrics.reviewed(result);
      const { status } = result.review.response;
      if (status !== undefined) options.onRefused?.(body, status.message);
      logReview(log, result);
      return reply.type('application/json').send(JSON.stringify(result.review));
    } finally {
      metrics.requestEnded(clock.now() - start);
    }
  });
  if (options.telemetryPath !== '') {
    app.get(options.telemetryPath, async (_request, reply) => {
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    });
  }
  return app;
}

/** Bodies come as bytes whatever their type says: type, size and form are judged in `readBody`, in upstream's words. */
function takeBodiesUnread(app: Webhook): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function readBody(request: FastifyRequest): unknown {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(contentType)) throw badContentType(contentType);
  const { body } = request;
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new MeshrootError('empty-body', 'Empty request body', { status: 400 });
  }
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    // V8 quotes a piece of the text in its message; a review may hold what does not belong in a log
    const why = messageOf(error).replace(/, .*is not valid JSON$/s, '');
    throw new MeshrootError('bad-admission-review', `error decoding admission request: ${why}`, {
      status: 500,
    });
  }
}

function badContentType(contentType: string): MeshrootError {
  return new MeshrootError('bad-content-type', `Invalid content-type: ${JSON.stringify(contentType)}`, {
    status: 400,
  });
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  if (codeOf(error) === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return answerError(badContentType(reply.request.headers['content-type'] ?? ''), reply);
  }
  if (error instanceof MeshrootError) return sendText(reply, error.status ?? 500, error.message);
  const status = codeOf(error) === 'FST_ERR_CTP_BODY_TOO_LARGE' ? 413 : 500;
  return sendText(reply, status, messageOf(error));
}

function sendText(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
}

function logReview(log: Logger, { namespace, injection, review }: ReviewResult): void {
  if (injection === undefined)
    log.warn('pod refused', { namespace, reason: review.response.status?.message });
  else if (injection.kind === 'injected') log.info('pod injected', { namespace });
  else log.debug('pod left alone', { namespace });
}

/** Stops listening, answers what is under way, and after `graceMs` cuts what is still open. */
export async function drain(app: Webhook, clock: Clock, graceMs = 10_000): Promise<void> {
  const done = new AbortController();
  const cut = clock.sleep(graceMs, done.signal).then(
    () => app.server.closeAllConnections(),
    () => {}, // closed in time
  );
  await app.close();
  done.abort();
  await cut;
}
