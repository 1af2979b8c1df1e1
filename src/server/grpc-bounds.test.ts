import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { createCertificatePath } from '../istio/ca-messages.ts';

/** A connection to the CA, once it has said how many calls it takes at a time. */
async function dial(address: string, ca: string): Promise<ClientHttp2Session> {
  const session = connect(`https://${address}`, { ca, servername: 'istiod.istio-system.svc' });
  await new Promise((go) => session.once('remoteSettings', go));
  return session;
}

/** A call that says nothing until it is ended. */
function call(session: ClientHttp2Session, path: string) {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  const status = new Promise<string>((resolve) => {
    const take = (fields: Record<string, unknown>) => {
      if (fields['grpc-status'] !== undefined) resolve(String(fields['grpc-status']));
    };
    stream
      .on('response', take)
      .on('trailers', take)
      .on('error', () => resolve('broken'))
      .resume();
  });
  return { stream, status };
}

describe('a server with as many calls as it takes', () => {
  let ca: Awaited<ReturnType<typeof runningCa>>;
  const sessions: ClientHttp2Session[] = [];
  const dialled = async () => {
    const session = await dial(ca.address, ca.root.certificate.pem);
    sessions.push(session);
    return session;
  };
  beforeEach(async () => {
    ca = await runningCa();
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    await ca.close();
  });

  test('tells a connection how many it may open, and refuses the next one of it with code 8, unread', async () => {
    const greedy = await Promise.all(Array.from({ length: 64 }, dialled));
    const most = greedy[0]?.remoteSettings.maxConcurrentStreams ?? 0;
    expect(most).toBe(8);
    for (const session of greedy) for (let i = 0; i < most; i++) call(session, createCertificatePath);
    const health = await dialled();
    // answers come in order of arrival on one thread: after this one, the calls above are known
    const check = call(health, '/grpc.health.v1.Health/Check');
    check.stream.end(Buffer.alloc(5));
    expect(await check.status).toBe('0');
    await Promise.all(greedy.map((session) => new Promise((go) => session.ping(go))));

    const busy = await dialled();
    const first = call(busy, createCertificatePath); // has none open: let in, and answered as far as it goes
    const second = call(busy, createCertificatePath);
    expect(await second.status).toBe('8');
    // Node's client does not survive that its session is destroyed while a stream is closed on one side only.
    second.stream.close();
    await once(second.stream, 'close');
    first.stream.end();
    expect(await first.status).toBe('13');
    expect(ca.log()).toContain('too many certificate requests, try again later: 512 calls are open');
  });
});
