import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const ping = 6;

let ca: Awaited<ReturnType<typeof runningCa>>;
let socket: TLSSocket;
let received: Buffer;
beforeEach(async () => {
  ca = await runningCa();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  const [host, port] = ca.address.split(':');
  const common = { host, port: Number(port), ca: ca.root.certificate.pem, ALPNProtocols: ['h2'] };
  socket = connect({ ...common, servername: 'istiod.istio-system.svc' });
  await once(socket, 'secureConnect');
  received = Buffer.alloc(0);
  socket.on('data', (part: Buffer) => {
    received = Buffer.concat([received, part]);
  });
  socket.write(Buffer.concat([Buffer.from(preface), emptySettings]));
  await once(socket, 'data');
});
afterEach(async () => {
  vi.useRealTimers();
  socket.destroy();
  await ca.close();
});

/** Frames of the server so far, by type, with their payloads (RFC 9113, 4.1). */
function frames(): { type: number; payload: Buffer }[] {
  const found: { type: number; payload: Buffer }[] = [];
  for (let at = 0; at + 9 <= received.length; ) {
    const length = received.readUIntBE(at, 3);
    found.push({ type: received[at + 3] ?? 0, payload: received.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return found;
}
const pings = () => frames().filter(({ type }) => type === ping);

/** Half a minute later, when the server has asked whether we are there. */
async function asked(count: number): Promise<void> {
  vi.advanceTimersByTime(30_000);
  while (pings().length < count) await once(socket, 'data');
}

test('a client that is gone without a word is found out: asked after 30 s, closed 10 s later', async () => {
  const closed = once(socket, 'close');
  await asked(1);
  vi.advanceTimersByTime(10_000);
  await closed;
});

test('one that answers is asked every 30 s, and stays', async () => {
  const closed = vi.fn();
  socket.on('close', closed);
  for (let round = 1; round <= 3; round++) {
    await asked(round);
    const answer = Buffer.concat([
      Buffer.from([0, 0, 8, ping, 1, 0, 0, 0, 0]),
      pings().at(-1)?.payload ?? Buffer.alloc(8),
    ]);
    socket.write(Buffer.concat([answer, emptySettings])); // settings are acknowledged: then the answer was read too
    await once(socket, 'data');
  }
  expect(closed).not.toHaveBeenCalled();
});
