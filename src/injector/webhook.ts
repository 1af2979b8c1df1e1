import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { isRecord } from '../lib/records.ts';
import type { InjectorMetrics } from './metrics.ts';
import type { ProjectedConfig } from './projected-config.ts';
import { readBody } from './request-body.ts';
import { answerText, type ReviewResult, refusedAfterAll, reviewAdmission } from './review.ts';
import type { InjectorSettings } from './settings.ts';

export interface WebhookOptions {
  readonly settings: InjectorSettings;
  readonly metrics: InjectorMetrics;
  /** Where metrics are served; empty for nowhere. */
  readonly telemetryPath: string;
  readonly tls: SecureContextOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes a ConfigMap that an injected pod refers to; never called for a dry run. Absent: such a pod is refused. */
  readonly writeConfigMap?: ((namespace: string, config: ProjectedConfig) => Promise<void>) | undefined;
  /** Told the body of each review that was refused, and the reason. */
  readonly onRefused?: ((review: unknown, message: string) => void) | undefined;
}

export interface Webhook {
  readonly server: Server;
  /** @throws what `listen` of node:net does, e.g. EADDRINUSE */
  listen(at: { readonly host: string; readonly port: number }): Promise<void>;
  /** Stops listening and resolves when everything under way is answered; see `drain`. */
  close(): Promise<void>;
}

const limits = {
  requestTimeout: 30_000,
  keepAliveTimeout: 120_000, // longer than the API server keeps idle connections (90 s), so that it closes first
  noDelay: true,
} as const;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * The HTTPS server of the admission webhook: `POST /mutate`, `GET /health/ready`, metrics. Not yet listening. On bare
 * node:https, because every pod of a cluster passes here and a framework costs more than the decision.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  let closing = false;
  const send = (response: ServerResponse, answer: Answer): void => sendAnswer(response, answer, closing);
  const server = createServer({ ...limits, ...options.tls }, (request, response) => {
    answerTo(request, options).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        options.log.warn('request refused', { error: messageOf(error) });
        send(response, refusalOf(error));
      },
    );
  });
  return {
    server,
    listen: ({ host, port }) => listening(server, host, port),
    close: () => {
      closing = true; // with failurePolicy Fail, a request refused now would be a pod refused because we restart
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answerTo(request: IncomingMessage, options: WebhookOptions): Promise<Answer> {
  const { method, url = '' } = request;
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (path === '/mutate' && method === 'POST') return mutate(await readBody(request), options);
  request.resume();
  if (method !== 'GET' && method !== 'HEAD') return notFound;
  if (path === '/health/ready') return { status: 204, type: '', text: '' };
  if (path !== options.telemetryPath || path === '') return notFound;
  const { registry } = options.metrics;
  return { status: 200, type: registry.contentType, text: await registry.metrics() };
}

async function mutate(body: Buffer, options: WebhookOptions): Promise<Answer> {
  const { clock, metrics, log, settings, onRefused } = options;
  const start = clock.now();
  metrics.requestStarted();
  try {
    const review = parseJson(body);
    const decided = reviewAdmission(review, settings);
    const needsMap = decided.injection?.kind === 'injected' && decided.injection.configMap !== undefined;
    const result = needsMap ? await withConfigMap(review, decided, options) : decided;
    metrics.reviewed(result);
    const { status } = result.review.response;
    if (status !== undefined) onRefused?.(review, status.message);
    logReview(log, result);
    return { status: 200, type: 'application/json', text: answerText(result.review) };
  } finally {
    metrics.requestEnded(clock.now() - start);
  }
}

/** Fails closed: an admitted pod whose ConfigMap is not there would wait for it without a word. */
async function withConfigMap(
  review: unknown,
  decided: ReviewResult,
  { writeConfigMap }: WebhookOptions,
): Promise<ReviewResult> {
  const { injection, namespace } = decided;
  if (injection?.kind !== 'injected' || injection.configMap === undefined || isDryRun(review)) return decided;
  try {
    if (writeConfigMap === undefined) throw new Error('this injector has no cluster to write ConfigMaps to');
    await writeConfigMap(namespace, injection.configMap);
    return decided;
  } catch (error) {
    return refusedAfterAll(decided, error);
  }
}

/** With `sideEffects: NoneOnDryRun` the API server relies on it. */
function isDryRun(review: unknown): boolean {
  return isRecord(review) && isRecord(review.request) && review.request.dryRun === true;
}

function parseJson(body: Buffer): unknown {
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

const plain = 'text/plain; charset=utf-8';
const notFound: Answer = { status: 404, type: plain, text: '404 page not found\n' };

function refusalOf(error: unknown): Answer {
  const status = error instanceof MeshrootError ? (error.status ?? 500) : 500;
  return { status, type: plain, text: `${messageOf(error)}\n` };
}

/** Head and body in one write. A connection over which too much was sent, or that is to end, is closed behind it. */
function sendAnswer(response: ServerResponse, { status, type, text }: Answer, closing: boolean): void {
  const body = type === '' ? {} : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, closing || status === 413 ? { ...body, Connection: 'close' } : body).end(text);
}

function logReview(log: Logger, { namespace, injection, review }: ReviewResult): void {
  if (injection === undefined)
    log.warn('pod refused', { namespace, reason: review.response.status?.message });
  else if (injection.kind === 'injected') log.info('pod injected', { namespace });
  else log.debug('pod left alone', { namespace });
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops listening, answers what is under way, and after `graceMs` cuts what is still open. */
export async function drain(webhook: Webhook, clock: Clock, graceMs = 10_000): Promise<void> {
  const done = new AbortController();
  const cut = clock.sleep(graceMs, done.signal).then(
    () => webhook.server.closeAllConnections(),
    () => {}, // closed in time
  );
  await webhook.close();
  done.abort();
  await cut;
}
