import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createCertificatePath } from '../../src/istio/ca-messages.ts';

/** The limit of the gRPC library: takes the request and gives `SIZE` bytes, no certificate. */
const answer = Buffer.alloc(Number(process.env.SIZE));
const same = (bytes: Buffer) => bytes;
const server = new Server();
server.addService(
  {
    CreateCertificate: {
      path: createCertificatePath,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  { CreateCertificate: (_: unknown, reply: (error: null, bytes: Buffer) => void) => reply(null, answer) },
);
const read = (name: string) => readFileSync(process.env[name] ?? '');
const credentials = ServerCredentials.createSsl(null, [
  { cert_chain: read('CERT'), private_key: read('KEY') },
]);
server.bindAsync(`127.0.0.1:${process.env.PORT}`, credentials, (error) => {
  if (error !== null) throw error;
});
