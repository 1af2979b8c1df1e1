import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { isWhole, statusOf } from './http-answer.ts';
import type { Load, LoadResult } from './load.ts';
import { percentile } from './statistics.ts';

/** Our own load generator: reads a Load from stdin, prints a LoadResult. The request is encoded once. */
const load = JSON.parse(await text(process.stdin)) as Load;
const { protocol, hostname, port, pathname, search, host } = new URL(load.url);
const body = Buffer.from(load.body ?? '');
const fields = Object.entries({ Host: host, ...load.headers, 'Content-Length': String(body.length) });
const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
const request = Buffer.concat([
  Buffer.from(`${load.method} ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`),
  body,
]);
const latencies: number[] = [];
let errors = 0;

async function connection(): Promise<Socket> {
  const address = { host: hostname, port: Number(port) };
  // no server name: some webhooks have a certificate for the address alone
  const socket =
    protocol === 'https:' ? connectTls({ ...address, rejectUnauthorized: false }) : connectTcp(address);
  await once(socket, protocol === 'https:' ? 'secureConnect' : 'connect');
  return socket.setNoDelay();
}

/** Asks until `end`, one request at a time; what breaks the connection is an error, and the connection's last. */
async function caller(end: number): Promise<void> {
  const socket = await connection();
  let parts: Buffer[] = [];
  let sent = performance.now();
  await new Promise<void>((resolve) => {
    const next = () => {
      if (performance.now() >= end) return socket.destroy();
      parts = [];
      sent = performance.now();
      return socket.write(request);
    };
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      const answer = parts.length === 1 ? part : Buffer.concat(parts);
      if (!isWhole(answer)) return;
      latencies.push(performance.now() - sent);
      if (statusOf(answer) > 399) errors++;
      next();
    });
    socket.on('error', () => errors++).on('close', resolve);
    socket.on('end', () => errors++); // the server hung up: keep-alive was asked for
    next();
  });
}

const began = performance.now();
const end = began + load.seconds * 1000;
await Promise.all(Array.from({ length: load.connections }, () => caller(end)));
const result: LoadResult = {
  requests: latencies.length,
  seconds: (performance.now() - began) / 1000,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  errors,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
