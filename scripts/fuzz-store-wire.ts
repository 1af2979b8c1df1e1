import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/log.ts';
import { listenVault } from '../src/server/vault-listener.ts';
import { openTestCore } from '../src/vault/test-core.ts';
import { mutated, pick, type Roll, rollOf } from '../src/vault/test-fuzz.ts';

const body = '{"a":"b"}';
const seeds = [
  'GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n',
  'LIST /v1/cubbyhole HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\n\r\n',
  `PUT /v1/cubbyhole/x HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  `POST /v1/auth/token/create HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  `GET /v1/cubbyhole/x?list=true HTTP/1.0\r\nAuthorization: Bearer root\r\nX-Vault-Wrap-TTL: 1m\r\n\r\n`,
];
const together = 32;

/**
 * Broken HTTP over sockets, one connection each, against a store in this process.
 * @returns how often each status came first on a connection; 0: closed without an answer
 * @throws Error with the bytes, when a status of 500 or more is answered or the store no longer answers a good call
 */
export async function fuzzWire(seed: number, count: number): Promise<Record<number, number>> {
  const core = await openTestCore();
  const options = { core, clock: systemClock, log: silentLogger, host: '127.0.0.1', port: 0 };
  const listener = await listenVault(options);
  const port = Number(new URL(listener.address).port);
  const roll = rollOf(seed);
  const statuses: Record<number, number> = {};
  try {
    for (let done = 0; done < count; done += together) {
      const inputs = Array.from({ length: Math.min(together, count - done) }, () => brokenHttp(roll));
      for (const [i, status] of (
        await Promise.all(inputs.map((bytes) => firstStatus(port, bytes)))
      ).entries()) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status >= 500)
          throw new Error(`answered ${status} to ${JSON.stringify(inputs[i]?.toString('latin1'))}`);
      }
    }
    const { status } = await fetch(`${listener.address}/v1/sys/health`);
    if (status !== 200) throw new Error(`sys/health answers ${status} after all that`);
  } finally {
    await listener.close();
    await core.close();
  }
  return statuses;
}

/** Mostly one change; sometimes several, or a second request behind the first. */
function brokenHttp(roll: Roll): Buffer {
  let text = pick(seeds, roll);
  for (let i = roll(8) === 0 ? 5 : 1; i > 0; i--) text = mutated(text, roll);
  if (roll(10) === 0) text += pick(seeds, roll);
  return Buffer.from(text, 'latin1');
}

/** Sends all, says that nothing more comes, and reads to the end. */
async function firstStatus(port: number, bytes: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    if (said.length < 100) said += text;
  });
  socket.on('error', () => {}); // reset by the other side: as good as closed
  socket.end(bytes);
  await once(socket, 'close');
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(said)?.[1] ?? 0);
}
