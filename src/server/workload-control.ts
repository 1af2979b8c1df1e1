import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { HandshakeResult, HandshakeTarget } from '../istio/workload-handshake.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { listenOn, parseListenAddress } from './listen-address.ts';

export interface WorkloadControl {
  handshake(target: HandshakeTarget): Promise<HandshakeResult>;
  peers(targets: readonly HandshakeTarget[], interval: number): void;
  stats(): unknown;
  renew(): Promise<unknown>;
}

const target = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  expect: z.string().optional(),
});
const interval = z.coerce.number().int().min(1).max(3_600_000).default(100);
const peerList = z.union([
  z.array(target).transform((peers) => ({ peers, intervalMs: undefined })),
  z.strictObject({ peers: z.array(target), intervalMs: interval.optional() }),
]);

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * JSON over HTTP on loopback: POST /handshake, POST /peers (a list with `?interval=MS`, or {peers, intervalMs}), POST /renew, GET /stats.
 * @throws MeshrootError `not-loopback`: it takes orders from anybody who reaches it
 */
export async function listenForOrders(address: string, control: WorkloadControl) {
  const { host } = parseListenAddress(address);
  if (host === undefined || !loopback.has(host)) {
    throw new MeshrootError('not-loopback', `the control address ${address} is not a loopback address`, {
      hint: 'write for example --control 127.0.0.1:0',
    });
  }
  const server = createServer((request, response) => {
    answer(request, control).then(
      (body) => response.writeHead(200, json).end(JSON.stringify(body)),
      (error: unknown) => {
        const status = error instanceof MeshrootError ? (error.status ?? 502) : 500;
        response.writeHead(status, json).end(JSON.stringify({ ok: false, error: messageOf(error) }));
      },
    );
  });
  const port = await listenOn(server, address);
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { port, close };
}

const json = { 'content-type': 'application/json' };

async function answer(request: IncomingMessage, control: WorkloadControl): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://control');
  const route = `${request.method} ${url.pathname}`;
  if (route === 'GET /stats') return control.stats();
  if (route === 'POST /renew') return control.renew();
  if (route === 'POST /handshake') return control.handshake(parsed(target, await bodyOf(request)));
  if (route === 'POST /peers') {
    const { peers, intervalMs } = parsed(peerList, await bodyOf(request));
    control.peers(peers, intervalMs ?? parsed(interval, url.searchParams.get('interval') ?? undefined));
    return control.stats();
  }
  throw new MeshrootError('unknown-order', `${route} is not served here`, { status: 404 });
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new MeshrootError('bad-order', z.prettifyError(result.error).replaceAll('\n', ' '), { status: 400 });
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > 1_048_576) throw new MeshrootError('too-large', 'the order is too large', { status: 413 });
    parts.push(part as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new MeshrootError('bad-order', 'the body is not JSON', { status: 400 });
  }
}
