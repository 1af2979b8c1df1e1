import { type ClientHttp2Session, connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { createCertificatePath, decodeResponse, encodeRequest } from '../../src/istio/ca-messages.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import type { Storm, StormResult } from './storm.ts';

/** Reads a Storm from stdin, asks for all of its certificates at once, prints a StormResult. */
const { port, rootPem, callers, connections } = JSON.parse(await text(process.stdin)) as Storm;
const servername = 'istiod.istio-system.svc';
const secureContext = createSecureContext({ ca: rootPem }); // one for all: to make one costs as much as a handshake
const sessions: (Promise<ClientHttp2Session> | undefined)[] = [];

/** A gRPC client asks nothing before it knows how much it may ask at a time. */
async function dial(): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { secureContext, servername });
  session.setMaxListeners(0);
  session.on('error', () => {}); // its calls are told, and ask again over a new one
  await new Promise((go) => session.once('remoteSettings', go).once('close', go));
  return session;
}

/** As an agent dials again when its connection was closed. */
async function sessionOf(i: number): Promise<ClientHttp2Session> {
  const place = i % connections;
  const dialled = sessions[place] ?? dial();
  sessions[place] = dialled;
  const session = await dialled;
  if ((session.closed || session.destroyed) && sessions[place] === dialled) sessions[place] = undefined;
  return session;
}

interface Answer {
  readonly status: string;
  readonly chain: readonly string[];
}

function ask(session: ClientHttp2Session, token: string, csr: string): Promise<Answer> {
  const message = encodeRequest({ csr, ttl: 3_600_000, metadata: {} });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  if (session.closed || session.destroyed) return Promise.resolve({ status: '14', chain: [] });
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': createCertificatePath,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${token}`,
    });
    const parts: Buffer[] = [];
    let status = '14';
    const take = (fields: Record<string, unknown>) => {
      status = String(fields['grpc-status'] ?? status);
    };
    stream.on('response', take).on('trailers', take);
    stream.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
    stream.on('close', () => {
      const chain = status === '0' ? decodeResponse(Buffer.concat(parts).subarray(5)) : [];
      resolve({ status, chain });
    });
    stream.end(Buffer.concat([head, message]));
  });
}

let retries = 0;
const refusals: Record<string, number> = {};

/** As an agent: 8 and 14 are asked again after a pause that doubles, everything else is the end. */
async function obtain(i: number): Promise<string | undefined> {
  const { token = '', csr = '' } = callers[i] ?? {};
  for (let pause = 100; ; pause = Math.min(pause * 2, 1600)) {
    const { status, chain } = await ask(await sessionOf(i), token, csr);
    if (chain[0] !== undefined) return chain[0];
    refusals[status] = (refusals[status] ?? 0) + 1;
    if (status !== '8' && status !== '14') return undefined;
    retries += 1;
    await delay(pause * (0.9 + 0.2 * Math.random()));
  }
}

function namesOf(leaf: string): { readonly serial: string; readonly uri: string } {
  const { serial, sans } = parseCertificate(leaf);
  return { serial, uri: sans.uri.join() };
}

const began = performance.now();
const leaves = await Promise.all(callers.map((_, i) => obtain(i)));
const seconds = (performance.now() - began) / 1000;
// looked at when it is over: the storm shares its cores with the server
const got = leaves.map((leaf) => (leaf === undefined ? undefined : namesOf(leaf)));
const result: StormResult = {
  seconds,
  served: got.filter((one) => one !== undefined).length,
  serials: new Set(got.map((one) => one?.serial)).size,
  identities: new Set(got.map((one) => one?.uri)).size,
  retries,
  refusals,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
for (const session of await Promise.all(sessions)) session?.destroy();
