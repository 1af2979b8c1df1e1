import type { StreamHandler, UnaryHandler } from './grpc-server.ts';
import type { GrpcStream } from './grpc-stream.ts';

const serving = Buffer.from([0x08, 1]);
const notServing = Buffer.from([0x08, 2]);

/** `grpc.health.v1.Health` for the whole server: Check and Watch answer SERVING until `stop` is called. */
export function healthService() {
  let state = serving;
  const watchers = new Set<GrpcStream>();
  const unary: Record<string, UnaryHandler> = { '/grpc.health.v1.Health/Check': async () => state };
  const streams: Record<string, StreamHandler> = {
    '/grpc.health.v1.Health/Watch': (call) => {
      watchers.add(call);
      call.stream.on('close', () => watchers.delete(call));
      call.send(state);
    },
  };
  return {
    unary,
    streams,
    stop: () => {
      state = notServing;
      for (const call of watchers) {
        call.send(state);
        call.finish();
      }
    },
  };
}
