import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../lib/clock.ts';
import type { ClusterReader } from '../vault/auth/kubernetes/cluster-reader.ts';
import type {
  ReadLocal,
  ReviewAnswer,
  ReviewQuestion,
  TokenReviewer,
} from '../vault/auth/kubernetes/token-reviewer.ts';
import { outboundSignal } from './request-deadline.ts';

const timeoutMs = 10_000;
const maxAnswerBytes = 1024 * 1024;
const maxAgents = 100;
const reviewPath = '/apis/authentication.k8s.io/v1/tokenreviews';

/**
 * TokenReviews over HTTPS with kept-alive connections, one agent per API server. Only the configured CA is trusted,
 * never the system's roots; TLS 1.2 at least.
 */
export function createTokenReviewer(): TokenReviewer {
  const agents = new Map<string, http.Agent>();
  return async (question) => {
    const agent = agentFor(agents, question);
    const { status, text } = await post(question, agent);
    if (status < 200 || status > 299) throw new Error(`the API server answered ${status}`);
    return readAnswer(JSON.parse(text));
  };
}

/** Reads at the API server, over the same kind of connections. */
export function createClusterReader(): ClusterReader {
  const agents = new Map<string, http.Agent>();
  return async (question) => {
    const url = new URL(question.host.replace(/\/+$/, '') + question.path);
    const { status, text } = await get(url, question.bearer, agentFor(agents, question));
    if (status < 200 || status > 299) throw new Error(`the API server answered ${status}`);
    return JSON.parse(text);
  };
}

function get(url: URL, bearer: string, agent: http.Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      Accept: 'application/json',
      ...(bearer === '' ? {} : { Authorization: `Bearer ${bearer}` }),
    };
    const options = { agent, headers, signal: outboundSignal(timeoutMs) };
    (url.protocol === 'https:' ? https : http)
      .get(url, options, (response) => {
        collect(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      })
      .on('error', reject);
  });
}

function agentFor(
  agents: Map<string, http.Agent>,
  { host, caCert }: Pick<ReviewQuestion, 'host' | 'caCert'>,
): http.Agent {
  const key = `${host}\n${caCert}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const agent = host.startsWith('https:')
    ? new https.Agent({
        keepAlive: true,
        maxSockets: 64,
        ca: caCert,
        minVersion: 'TLSv1.2',
        timeout: timeoutMs,
      })
    : new http.Agent({ keepAlive: true, maxSockets: 64, timeout: timeoutMs });
  if (agents.size >= maxAgents) {
    for (const old of agents.values()) old.destroy();
    agents.clear();
  }
  agents.set(key, agent);
  return agent;
}

function post(question: ReviewQuestion, agent: http.Agent): Promise<{ status: number; text: string }> {
  const { host, bearer, token, audiences } = question;
  const body = JSON.stringify({
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {},
    spec: { token, ...(audiences.length === 0 ? {} : { audiences }) },
    status: { user: {} },
  });
  const url = new URL(host.replace(/\/+$/, '') + reviewPath);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(
      url,
      {
        agent,
        method: 'POST',
        signal: outboundSignal(timeoutMs),
        headers: {
          Accept: 'application/json',
          'Content-Type': 'application/json',
          Authorization: `Bearer ${bearer}`,
          'Content-Length': Buffer.byteLength(body),
        },
      },
      (response) =>
        collect(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject),
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function collect(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error('the answer of the API server is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(review: unknown): ReviewAnswer {
  const status = field(review, 'status');
  const user = field(status, 'user');
  const audiences = field(status, 'audiences');
  return {
    authenticated: field(status, 'authenticated') === true,
    error: text(field(status, 'error')),
    username: text(field(user, 'username')),
    uid: text(field(user, 'uid')),
    audiences: Array.isArray(audiences) ? audiences.map(String) : [],
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const localFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const rereadMs = 60_000;

/** The files of the pod that the store itself runs in, read again about each minute: the kubelet renews the token. */
export function createLocalReader(clock: Clock): ReadLocal {
  const known = new Map<string, { readonly at: number; readonly value: string | undefined }>();
  return (name) => {
    const cached = known.get(name);
    if (cached !== undefined && clock.now() - cached.at < rereadMs) return cached.value;
    const value = readOptional(`${localFolder}/${name}`);
    known.set(name, { at: clock.now(), value });
    return value;
  };
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
