import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { StreamHandler } from './grpc-server.ts';
import { GrpcStatus } from './grpc-stream.ts';

const services = [
  'istio.v1.auth.IstioCertificateService',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
];

/** `grpc.reflection` (v1 and v1alpha, which are the same on the wire): the services by name, and our file by symbol. */
export function reflectionService(): Record<string, StreamHandler> {
  const handler: StreamHandler = (call) => {
    call.onMessage = (request) => {
      try {
        call.send(answerTo(request));
      } catch {
        call.fail(new GrpcStatus(13, 'Error deserializing request'));
      }
    };
    call.onEnd = () => call.finish();
  };
  return {
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': handler,
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': handler,
  };
}

/** ServerReflectionResponse. The fields of the request: 3 file name, 4 symbol, 7 list of services. */
function answerTo(request: Buffer): Buffer {
  const reader = new BinaryReader(request);
  const writer = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(request);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire !== WireType.LengthDelimited) {
      reader.skip(wire, field);
      continue;
    }
    const text = reader.string();
    if (field === 7) writer.tag(6, WireType.LengthDelimited).bytes(serviceList());
    else if (field === 4 && text.startsWith('istio.v1.auth.')) writeFile(writer);
    else if (field === 3 && text === fileName) writeFile(writer);
    else if (field === 3 || field === 4) writer.tag(7, WireType.LengthDelimited).bytes(notFound(text));
  }
  return Buffer.from(writer.finish());
}

const nested = (field: number, inner: Uint8Array, writer = new BinaryWriter()): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).bytes(inner);

const named = (name: string): BinaryWriter =>
  new BinaryWriter().tag(1, WireType.LengthDelimited).string(name);

function serviceList(): Uint8Array {
  const writer = new BinaryWriter();
  for (const name of services) nested(1, named(name).finish(), writer);
  return writer.finish();
}

function notFound(what: string): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(5);
  return writer.tag(2, WireType.LengthDelimited).string(`${what} was not found`).finish();
}

function writeFile(writer: BinaryWriter): void {
  nested(4, nested(1, certificateFile()).finish(), writer);
}

const fileName = 'security/v1alpha1/ca.proto';
const type = { text: 9, int64: 3, message: 11 } as const;

/** FileDescriptorProto of the certificate service. `metadata` (a google.protobuf.Struct) is shown as bytes would be: left out. */
function certificateFile(): Uint8Array {
  const field = (name: string, number: number, kind: number, repeated = false) =>
    named(name)
      .tag(3, WireType.Varint)
      .int32(number)
      .tag(4, WireType.Varint)
      .int32(repeated ? 3 : 1)
      .tag(5, WireType.Varint)
      .int32(kind)
      .finish();
  const request = nested(
    2,
    field('validity_duration', 3, type.int64),
    nested(2, field('csr', 1, type.text), named('IstioCertificateRequest')),
  );
  const response = nested(2, field('cert_chain', 1, type.text, true), named('IstioCertificateResponse'));
  const method = named('CreateCertificate')
    .tag(2, WireType.LengthDelimited)
    .string('.istio.v1.auth.IstioCertificateRequest')
    .tag(3, WireType.LengthDelimited)
    .string('.istio.v1.auth.IstioCertificateResponse');
  const file = named(fileName).tag(2, WireType.LengthDelimited).string('istio.v1.auth');
  nested(4, request.finish(), file);
  nested(4, response.finish(), file);
  nested(6, nested(2, method.finish(), named('IstioCertificateService')).finish(), file);
  return file.tag(12, WireType.LengthDelimited).string('proto3').finish();
}
