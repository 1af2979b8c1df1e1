import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createCertificatePath, decodeResponse, encodeRequest } from '../../src/istio/ca-messages.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import type { LoadResult } from './load.ts';
import type { CsrLoad } from './load-csr.ts';
import { percentile } from './statistics.ts';

/** CreateCertificate over and over: reads a CsrLoad from stdin, prints a LoadResult. */
const load = JSON.parse(await text(process.stdin)) as CsrLoad;
const serverName = 'istiod.istio-system.svc';
const sessions = await Promise.all(
  Array.from({ length: 4 }, async () => {
    const session = connect(`https://127.0.0.1:${load.port}`, { ca: load.rootPem, servername: serverName });
    await once(session, 'connect');
    return session;
  }),
);

/** A gRPC message: no compression, length, bytes. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const bodies = load.csrs.map((csr) => framed(encodeRequest({ csr, ttl: 86_400_000, metadata: {} })));
const headers = load.tokens.map((token) => ({
  ':method': 'POST',
  ':path': createCertificatePath,
  ':authority': serverName,
  'content-type': 'application/grpc',
  te: 'trailers',
  authorization: `Bearer ${token}`,
  clusterid: 'cluster1',
}));

let turn = 0;
let errors = 0;
let firstError = '';
const latencies: number[] = [];

function call(session: ClientHttp2Session, keep?: Buffer[], began = performance.now()): Promise<void> {
  turn++;
  return new Promise((resolve) => {
    const stream = session.request(headers[turn % headers.length]);
    let status: unknown;
    let message: unknown;
    const take = (fields: Record<string, unknown>) => {
      status = fields['grpc-status'] ?? status;
      message = fields['grpc-message'] ?? message;
    };
    stream.on('response', take).on('trailers', take);
    stream.on('data', (part: Buffer) => keep?.push(part));
    stream.on('error', (error) => {
      message = error.message;
    });
    stream.on('close', () => {
      if (status === '0') latencies.push(performance.now() - began);
      else {
        errors++;
        firstError ||= `${status} ${message}`;
      }
      resolve();
    });
    stream.end(bodies[turn % bodies.length]);
  });
}

/** One answer is looked at before the load: it must be a certificate of the caller. */
async function look(session: ClientHttp2Session): Promise<void> {
  const parts: Buffer[] = [];
  await call(session, parts);
  if (errors > 0) throw new Error(`the CA refused: ${firstError}`);
  const [leaf = ''] = decodeResponse(Buffer.concat(parts).subarray(5));
  if (!parseCertificate(leaf).sans.uri[0]?.startsWith('spiffe://cluster.local/ns/demo/sa/shop-')) {
    throw new Error('the certificate does not name its caller');
  }
  latencies.length = 0;
}

async function closedLoop(end: number): Promise<void> {
  const caller = async (_: unknown, i: number) => {
    const session = sessions[i % sessions.length];
    while (session !== undefined && performance.now() < end) await call(session);
  };
  await Promise.all(Array.from({ length: load.callers }, caller));
}

/** Latency counts from the moment a call was due, so that waiting in line is not forgotten. */
async function openLoop(rate: number, began: number, end: number): Promise<void> {
  const calls: Promise<void>[] = [];
  for (let n = 0; ; n++) {
    const due = began + (n * 1000) / rate;
    if (due >= end) break;
    if (due > performance.now() + 0.5) await delay(due - performance.now());
    const session = sessions[n % sessions.length];
    if (session !== undefined) calls.push(call(session, undefined, due));
  }
  await Promise.all(calls);
}

const [first] = sessions;
if (load.verify && first !== undefined) await look(first);
const began = performance.now();
const end = began + load.seconds * 1000;
await (load.rate === undefined ? closedLoop(end) : openLoop(load.rate, began, end));
if (firstError !== '') process.stderr.write(`${firstError}\n`);
const result: LoadResult = {
  requests: latencies.length,
  seconds: (performance.now() - began) / 1000,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  errors,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
for (const session of sessions) session.destroy();
