import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { createMetrics } from '../../src/injector/metrics.ts';
import { selfMadeCertificate } from '../../src/injector/self-made-certificate.ts';
import { defaultSettings } from '../../src/injector/settings.ts';
import { createWebhook } from '../../src/injector/webhook.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { applyPatch, parsePatch } from '../../src/lib/json-patch.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { podCases, reviewOf } from './pods.ts';

export interface FuzzResult {
  readonly runs: number;
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly allowed: number;
  readonly refused: number;
}

type Random = () => number;

/** Mulberry32: a run can be repeated by its seed. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const settings = {
  ...defaultSettings,
  vaultAddress: 'http://127.0.0.1:8200',
  policy: { rules: [{ namespaces: ['d*'], roles: ['app', '*'] }], otherwise: 'allow' },
} as const;

/**
 * Sends damaged AdmissionReviews to a webhook of this process, over TLS.
 * @throws Error that holds the body, when one is not answered as it should be
 */
export async function fuzzWebhook(runs: number, seed: number): Promise<FuzzResult> {
  const { current, caBundle } = await selfMadeCertificate(['localhost'], systemClock, silentLogger);
  const app = createWebhook({
    settings,
    metrics: createMetrics(),
    telemetryPath: '/metrics',
    tls: { cert: current.certificate, key: current.key.reveal() },
    clock: systemClock,
    log: silentLogger,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce, ca: caBundle, servername: 'localhost' });
  const random = randomOf(seed);
  const statuses: Record<string, number> = {};
  const result = { allowed: 0, refused: 0 };
  for (let i = 0; i < runs; i += atOnce) {
    const bodies = Array.from({ length: Math.min(atOnce, runs - i) }, () => damaged(random));
    for (const { status, allowed } of await Promise.all(bodies.map((body) => answerTo(agent, port, body)))) {
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (allowed !== undefined) result[allowed ? 'allowed' : 'refused']++;
    }
  }
  agent.destroy();
  await app.close();
  return { runs, statuses, ...result };
}

/** Connections, as an API server has several. */
const atOnce = 8;

async function answerTo(
  agent: Agent,
  port: number,
  body: Buffer,
): Promise<{ status: number; allowed?: boolean }> {
  const answer = await post(agent, port, body);
  const problem = judge(body, answer.status, answer.text);
  if (problem !== undefined) {
    throw new Error(
      `${problem}\nstatus ${answer.status}: ${answer.text}\nbody (base64): ${body.toString('base64')}`,
    );
  }
  if (answer.status !== 200) return { status: answer.status };
  return { status: 200, allowed: (JSON.parse(answer.text) as Answer).response.allowed };
}

function post(agent: Agent, port: number, body: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const to = { host: '127.0.0.1', port, path: '/mutate', method: 'POST', agent, headers };
    const question = request(to, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
    });
    question.on('error', reject).end(body);
  });
}

interface Answer {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patch?: string;
    readonly status?: object;
  };
}

/** What is wrong with an answer, or undefined. */
function judge(body: Buffer, status: number, text: string): string | undefined {
  if (status === 500) {
    return text.startsWith('error decoding admission request: ') && !isJson(body)
      ? undefined
      : 'an unforeseen error';
  }
  if (status !== 200) return status === 400 ? undefined : 'an unforeseen status';
  const { response } = JSON.parse(text) as Answer;
  const request = (JSON.parse(body.toString()) as { request: { uid: string; object: unknown } }).request;
  if (response.uid !== request.uid) return 'the uid is not that of the question';
  if (!response.allowed)
    return response.patch === undefined && response.status !== undefined
      ? undefined
      : 'refused without a reason';
  if (response.patch === undefined) return undefined;
  const patched = applyPatch(
    request.object,
    parsePatch(JSON.parse(Buffer.from(response.patch, 'base64').toString())),
  );
  return isDeepStrictEqual(patched, request.object) ? 'a patch that changes nothing' : undefined;
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

/** A review of the goldens, changed in one to four places; one in five is then damaged as text. */
function damaged(random: Random): Buffer {
  const review = structuredClone(reviewOf(pick(random, podCases)));
  for (let n = 1 + Math.floor(random() * 4); n > 0; n--) changeSomewhere(placeIn(review, random), random);
  const body = Buffer.from(JSON.stringify(review));
  return random() < 0.2 ? damagedText(body, random) : body;
}

/** Mostly the annotations or another part of the pod: a review that is none is answered at once. */
function placeIn(review: Record<string, unknown>, random: Random): unknown {
  const kind = random();
  if (kind < 0.05) return review;
  const request = review.request as { object?: Record<string, Record<string, unknown>> } | undefined;
  const object = request?.object;
  const parts = [object?.metadata?.annotations, object?.spec, object?.spec, object];
  return pick(random, parts) ?? review;
}

function changeSomewhere(root: unknown, random: Random): void {
  let node = root;
  for (let depth = 0; depth < 12; depth++) {
    if (typeof node !== 'object' || node === null) return;
    const record = node as Record<string, unknown>;
    const keys = Object.keys(record);
    const key = keys.length === 0 || random() < 0.05 ? pick(random, oddKeys) : pick(random, keys);
    const child = Object.hasOwn(record, key) ? record[key] : undefined;
    const leaf = typeof child !== 'object' || child === null;
    if (leaf || random() < 0.15) {
      change(record, key, random);
      return;
    }
    node = child;
  }
}

const V = 'vault.hashicorp.com/';
const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'annotations',
  'request',
  'volumeMounts',
  `${V}agent-inject`,
  `${V}agent-json-patch`,
  `${V}agent-inject-template-x`,
  `${V}agent-limits-cpu`,
  `${V}secret-volume-path-x`,
  'meshroot.io/istio-ca',
  'meshroot.io/gateway-certs',
  'meshroot.io/native-sidecar',
  'meshroot.io/seccomp-profile',
  'meshroot.io/tmpfs-size-limit',
  '\u2028',
] as const;

function change(record: Record<string, unknown>, key: string, random: Random): void {
  if (random() < 0.15) delete record[key];
  else
    Object.defineProperty(record, key, {
      value: oddValue(random),
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

const oddTexts = [
  '',
  'true',
  'false',
  '0',
  '-1',
  'NaN',
  '1e999',
  '/',
  '..',
  '\u0000',
  '\ud800',
  '{}',
  '[]',
  'injected',
  '9'.repeat(400),
];
const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  2 ** 53,
  [],
  {},
  [null],
  [[]],
  { a: 1 },
  [{ op: 'add' }],
];

function oddValue(random: Random): unknown {
  const kind = random();
  if (kind < 0.45) return pick(random, oddTexts);
  if (kind < 0.85) return structuredClone(pick(random, oddValues));
  if (kind < 0.95) return JSON.stringify(pick(random, oddValues));
  return nested(Math.floor(random() * 200));
}

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function damagedText(body: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * body.length);
  const kind = random();
  if (kind < 0.3) return body.subarray(0, Math.max(at, 1));
  if (kind < 0.6) {
    const flipped = Buffer.from(body);
    flipped[at] = Math.floor(random() * 256);
    return flipped;
  }
  if (kind < 0.8)
    return Buffer.concat([body.subarray(0, at), body.subarray(Math.floor(random() * body.length))]);
  return Buffer.concat([body, Buffer.from(pick(random, ['}', '\u0000', ' ', '[]', '{"request":1}']))]);
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T;
}
