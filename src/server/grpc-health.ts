import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';

const serving = Buffer.from([0x08, 1]);
const notServing = Buffer.from([0x08, 2]);
const identity = (bytes: Buffer): Buffer => bytes;
const method = (name: string, responseStream: boolean) => ({
  path: `/grpc.health.v1.Health/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});

/** `grpc.health.v1.Health` for the whole server: Check and Watch answer SERVING until `stop` is called. */
export function addHealthService(server: Server): { stop: () => void } {
  let state = serving;
  const watchers = new Set<ServerWritableStream<Buffer, Buffer>>();
  server.addService(
    { Check: method('Check', false), Watch: method('Watch', true) },
    {
      Check: (_call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => reply(null, state),
      Watch: (call: ServerWritableStream<Buffer, Buffer>) => {
        watchers.add(call);
        call.on('cancelled', () => watchers.delete(call));
        call.on('error', () => watchers.delete(call));
        call.write(state);
      },
    },
  );
  return {
    stop: () => {
      state = notServing;
      for (const call of watchers) {
        call.write(state);
        call.end();
      }
    },
  };
}
