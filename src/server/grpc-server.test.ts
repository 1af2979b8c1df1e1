import { connect } from 'node:http2';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runningCa } from '../../test/support/running-ca.ts';
import { createCertificatePath } from '../istio/ca-messages.ts';

const name = 'istiod.istio-system.svc';
const bytes = (buffer: Buffer) => buffer;

describe('gRPC on Node’s HTTP/2, seen by the general client', () => {
  let ca: Awaited<ReturnType<typeof runningCa>>;
  let client: Client;
  beforeAll(async () => {
    ca = await runningCa();
    client = new Client(ca.address, credentials.createSsl(Buffer.from(ca.root.certificate.pem)), {
      'grpc.ssl_target_name_override': name,
      'grpc.default_authority': name,
      'grpc.enable_retries': 0,
    });
  });
  afterAll(async () => {
    client.close();
    await ca.close();
  });

  const ask = (path: string, message: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        bytes,
        bytes,
        message,
        new Metadata(),
        (error: ServiceError | null, answer) =>
          error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error),
      );
    });

  test('a method that is not there is code 12', async () => {
    await expect(ask('/a.B/C', Buffer.alloc(0))).rejects.toMatchObject({
      code: 12,
      details: 'The server does not implement the method /a.B/C',
    });
  });

  test('a message above the limit is code 8, one that is no message is code 13', async () => {
    await expect(ask(createCertificatePath, Buffer.alloc(300_000))).rejects.toMatchObject({ code: 8 });
    await expect(ask(createCertificatePath, Buffer.from('0aff', 'hex'))).rejects.toMatchObject({
      code: 13,
      details: 'Error deserializing request',
    });
  });

  test('health is checked and watched until the end', async () => {
    expect(await ask('/grpc.health.v1.Health/Check', Buffer.alloc(0))).toEqual(Buffer.from([8, 1]));
    const watch = client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      bytes,
      bytes,
      Buffer.alloc(0),
    );
    expect(await new Promise((resolve) => watch.once('data', resolve))).toEqual(Buffer.from([8, 1]));
    watch.on('error', () => {});
    watch.cancel();
  });

  test.each(['v1', 'v1alpha'])('reflection %s names the services and describes ours', async (version) => {
    const call = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      bytes,
      bytes,
    );
    const answered = (request: Buffer) =>
      new Promise<string>((resolve) => {
        call.once('data', (answer: Buffer) => resolve(answer.toString('latin1')));
        call.write(request);
      });
    const symbol = 'istio.v1.auth.IstioCertificateService';
    expect(await answered(Buffer.from([0x3a, 1, 0x2a]))).toContain(symbol);
    expect(
      await answered(Buffer.concat([Buffer.from([0x22, symbol.length]), Buffer.from(symbol)])),
    ).toContain('CreateCertificate');
    expect(await answered(Buffer.concat([Buffer.from([0x22, 3]), Buffer.from('a.B')]))).toContain(
      'a.B was not found',
    );
    call.end();
    await new Promise((resolve) => call.once('status', resolve));
  });

  test('what is not gRPC is told so', async () => {
    const session = connect(`https://${ca.address}`, { ca: ca.root.certificate.pem, servername: name });
    const stream = session.request({ ':path': '/', ':method': 'GET' });
    const status = await new Promise((resolve) =>
      stream.once('response', (headers) => resolve(headers[':status'])),
    );
    expect(status).toBe(415);
    session.destroy();
  });
});
