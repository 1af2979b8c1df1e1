import { Agent, request as httpsRequest } from 'node:https';
import { codeOf, messageOf } from '../../../lib/errors.ts';
import { type Fields, isFields, numberAt, textAt, valueAt } from '../fields.ts';

/** Where a Service's port can be reached from this process. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** There is no service network: whoever runs the pods says where they listen. Undefined: nobody is there. */
export type ServiceResolver = (namespace: string, name: string, port: number) => Address | undefined;

export interface ServiceLookup {
  readonly resolve: ServiceResolver;
  readonly serviceExists: (namespace: string, name: string) => boolean;
}

/** A webhook that could not be asked; the message follows `failed calling webhook "x": `. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
}

interface Target {
  readonly shown: string;
  readonly address: Address;
  readonly serverName: string;
  readonly path: string;
}

const agents = new Map<string, Agent>();

/** One keep-alive agent per CA and server name: a certificate change in the webhook configuration means a new one. */
function agentFor(ca: string, serverName: string): Agent {
  const key = `${serverName}\n${ca}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const made = new Agent({ keepAlive: true, maxSockets: 32, timeout: 30_000, ...(ca === '' ? {} : { ca }) });
  if (agents.size > 64) agents.clear();
  agents.set(key, made);
  return made;
}

/**
 * POSTs an AdmissionReview to a webhook over TLS, its certificate checked against caBundle and `<svc>.<ns>.svc`.
 * @returns the `response` of the answer
 * @throws WebhookCallError with the text of client-go
 */
export async function callWebhook(hook: Fields, review: Fields, services: ServiceLookup): Promise<Fields> {
  const target = targetOf(hook, services);
  const timeout = numberAt(hook, 'timeoutSeconds') ?? 10;
  const ca = Buffer.from(textAt(hook, 'clientConfig', 'caBundle'), 'base64').toString('utf8');
  const shown = `${target.shown}?timeout=${timeout}s`;
  const body = JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: review,
  });
  let answer: { status: number; body: string };
  try {
    answer = await post(target, `${target.path}?timeout=${timeout}s`, body, ca, timeout * 1000);
  } catch (error) {
    throw new WebhookCallError(`failed to call webhook: Post "${shown}": ${goText(error, target)}`);
  }
  return responseOf(answer, textAt(review, 'uid'));
}

function targetOf(hook: Fields, { resolve, serviceExists }: ServiceLookup): Target {
  const config = valueAt(hook, 'clientConfig');
  const service = valueAt(config, 'service');
  if (!isFields(service)) return targetOfUrl(textAt(config, 'url'));
  const [namespace, name] = [textAt(service, 'namespace'), textAt(service, 'name')];
  const port = numberAt(service, 'port') ?? 443;
  const address = resolve(namespace, name, port);
  const serverName = `${name}.${namespace}.svc`;
  const path = textAt(service, 'path') || '/';
  const shown = `https://${serverName}:${port}${path}`;
  if (address === undefined) {
    const why = serviceExists(namespace, name)
      ? `no endpoints available for service "${name}"`
      : `service "${name}" not found`;
    const timeout = numberAt(hook, 'timeoutSeconds') ?? 10;
    throw new WebhookCallError(`failed to call webhook: Post "${shown}?timeout=${timeout}s": ${why}`);
  }
  return { shown, address, serverName, path };
}

function targetOfUrl(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new WebhookCallError(`failed to call webhook: invalid url "${text}"`);
  return {
    shown: `${url.origin}${url.pathname}`,
    address: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) },
    serverName: url.hostname,
    path: url.pathname,
  };
}

function post(
  target: Target,
  path: string,
  body: string,
  ca: string,
  timeout: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: target.address.host,
        port: target.address.port,
        path,
        method: 'POST',
        // an IP address is not sent as a name, but is still what the certificate must be for
        servername: /^[\d.]+$|:/.test(target.serverName) ? '' : target.serverName,
        agent: agentFor(ca, target.serverName),
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        signal: AbortSignal.timeout(timeout),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function responseOf(answer: { status: number; body: string }, uid: string): Fields {
  if (answer.status === 404) {
    throw new WebhookCallError('failed to call webhook: the server could not find the requested resource');
  }
  if (answer.status < 200 || answer.status > 299) {
    const why = `an error on the server (${JSON.stringify(answer.body.trim() || 'unknown')}) has prevented the request from succeeding`;
    throw new WebhookCallError(`failed to call webhook: ${why}`);
  }
  const parsed = parseJson(answer.body);
  const response = valueAt(parsed, 'response');
  if (!isFields(response)) {
    throw new WebhookCallError('received invalid webhook response: webhook response was absent');
  }
  if (textAt(response, 'uid') !== uid) {
    const why = `expected response.uid="${uid}", got "${textAt(response, 'uid')}"`;
    throw new WebhookCallError(`received invalid webhook response: ${why}`);
  }
  return response;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WebhookCallError(`failed to call webhook: ${messageOf(error)}`);
  }
}

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** What Go would have said of the same failure: people search for these texts. */
function goText(error: unknown, target: Target): string {
  const code = codeOf(error) ?? '';
  const where = `${target.address.host}:${target.address.port}`;
  const x509 = 'tls: failed to verify certificate: x509:';
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) {
    return 'context deadline exceeded';
  }
  if (code === 'ECONNREFUSED') return `dial tcp ${where}: connect: connection refused`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${target.address.host}: no such host`;
  if (code === 'ECONNRESET') return 'EOF';
  if (code === 'CERT_HAS_EXPIRED') return `${x509} certificate has expired or is not yet valid`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `${x509} certificate is not valid for ${target.serverName}: ${messageOf(error)}`;
  }
  if (untrusted.has(code)) return `${x509} certificate signed by unknown authority`;
  return messageOf(error);
}
