import type { ServerHttp2Stream } from 'node:http2';

/** How a call ends, in gRPC's numbers; thrown by handlers. */
export class GrpcStatus extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** One call on the wire: messages in, messages out, and one status at the end. */
export interface GrpcStream {
  readonly stream: ServerHttp2Stream;
  onMessage: (message: Buffer) => void;
  /** The client has said all that it wants to say. */
  onEnd: () => void;
  send(message: Buffer): void;
  /** The last message and status OK. */
  finish(message?: Buffer): void;
  fail(status: GrpcStatus): void;
}

const contentType = 'application/grpc+proto';
const ok = { 'grpc-status': '0' };
const headOf = { ':status': 200, 'content-type': contentType } as const;
const empty = Buffer.alloc(0);

/** @param maxMessage bytes; a longer message fails the call with code 8, as gRPC servers do */
export function openGrpcStream(stream: ServerHttp2Stream, maxMessage: number): GrpcStream {
  let waiting: Buffer = empty;
  let begun = false;
  let ended = false;
  const grpc: GrpcStream = {
    stream,
    onMessage: () => {},
    onEnd: () => {},
    send: (message) => {
      if (gone()) return;
      begin();
      stream.write(framed(message));
    },
    finish: (message) => {
      if (gone()) return;
      ended = true;
      begin();
      stream.end(message === undefined ? undefined : framed(message));
    },
    fail: (status) => {
      if (gone()) return;
      ended = true;
      waiting = empty;
      if (begun) {
        trailers = statusHeaders(status);
        stream.end();
      } else {
        refuseStream(stream, status);
      }
    },
  };
  let trailers: Record<string, string> = ok;
  const gone = (): boolean => ended || stream.destroyed || stream.closed;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    stream.respond(headOf, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  };
  stream.on('data', (part: Buffer) => {
    if (ended) return;
    waiting = waiting.length === 0 ? part : Buffer.concat([waiting, part]);
    for (;;) {
      const size = frameSize(waiting);
      if (size > maxMessage) {
        grpc.fail(new GrpcStatus(8, `Received message larger than max (${size} vs. ${maxMessage})`));
        return;
      }
      if (size < 0 || waiting.length < 5 + size) return;
      if (waiting[0] !== 0)
        return grpc.fail(new GrpcStatus(12, 'compressed messages are not understood here'));
      const message = waiting.subarray(5, 5 + size);
      waiting = waiting.subarray(5 + size);
      grpc.onMessage(message);
      if (ended) return;
    }
  });
  stream.on('end', () => {
    if (waiting.length > 0) grpc.fail(new GrpcStatus(13, 'the message is cut off'));
    else if (!ended) grpc.onEnd();
  });
  return grpc;
}

/** Answers with a status without reading what is sent. */
export function refuseStream(stream: ServerHttp2Stream, status: GrpcStatus): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ...headOf, ...statusHeaders(status) }, { endStream: true });
  stream.resume();
}

/** Of the first message, or -1 while that is not known. */
function frameSize(bytes: Buffer): number {
  return bytes.length < 5 ? -1 : bytes.readUInt32BE(1);
}

function framed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  message.copy(bytes, 5);
  return bytes;
}

/** Percent-encoded as the protocol wants it: a header holds printable ASCII only. */
function statusHeaders({ code, message }: GrpcStatus): Record<string, string> {
  const text = message.replace(/[^\x20-\x24\x26-\x7e]/gu, (one) =>
    [...Buffer.from(one)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  return { 'grpc-status': String(code), 'grpc-message': text };
}
