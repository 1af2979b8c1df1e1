import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { MeshrootError, messageOf } from '../lib/errors.ts';

/*
 * The messages of `istio.v1.auth.IstioCertificateService`, by hand on the wire reader and writer of @bufbuild/protobuf:
 * two messages with four fields need neither protoc in the build nor a reflection registry on the hot path, and the
 * only dynamic part (google.protobuf.Struct) is read for the two text values that istiod reads.
 */

/** What a client asks for. `ttl` is in milliseconds; zero or less means "the default". */
export interface CertificateRequest {
  readonly csr: string;
  readonly ttl: number;
  /** Text values of the request's metadata: `CertSigner`, `ImpersonatedIdentity`. */
  readonly metadata: Readonly<Record<string, string>>;
}

export const createCertificatePath = '/istio.v1.auth.IstioCertificateService/CreateCertificate';

const maxTtlSeconds = 1e11; // 3,000 years: beyond any certificate, and still exact as a number of milliseconds

/** @throws MeshrootError `bad-message` for bytes that are not an IstioCertificateRequest */
export function decodeRequest(bytes: Uint8Array): CertificateRequest {
  return guarded(() => {
    const reader = new BinaryReader(bytes);
    let csr = '';
    let ttl = 0;
    const metadata: Record<string, string> = {};
    eachField(reader, reader.len, (field, wire) => {
      if (field === 1 && wire === WireType.LengthDelimited) csr = reader.string();
      else if (field === 3 && wire === WireType.Varint) ttl = ttlOf(reader.int64());
      else if (field === 4 && wire === WireType.LengthDelimited) readStruct(reader, metadata);
      else return false;
      return true;
    });
    return { csr, ttl, metadata };
  });
}

export function encodeRequest(request: CertificateRequest): Buffer {
  const writer = new BinaryWriter();
  if (request.csr !== '') writer.tag(1, WireType.LengthDelimited).string(request.csr);
  if (request.ttl !== 0) writer.tag(3, WireType.Varint).int64(Math.floor(request.ttl / 1000));
  const entries = Object.entries(request.metadata);
  if (entries.length > 0) {
    writer.tag(4, WireType.LengthDelimited).fork();
    for (const [key, value] of entries) {
      writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(key);
      writer.tag(2, WireType.LengthDelimited).fork().tag(3, WireType.LengthDelimited).string(value);
      writer.join().join();
    }
    writer.join();
  }
  return Buffer.from(writer.finish());
}

/** @throws MeshrootError `bad-message` */
export function decodeResponse(bytes: Uint8Array): readonly string[] {
  return guarded(() => {
    const reader = new BinaryReader(bytes);
    const chain: string[] = [];
    eachField(reader, reader.len, (field, wire) => {
      if (field !== 1 || wire !== WireType.LengthDelimited) return false;
      chain.push(reader.string());
      return true;
    });
    return chain;
  });
}

/** Written by hand: it is the largest thing that is made per call, and nearly all of it is plain ASCII. */
export function encodeResponse(chain: readonly string[]): Buffer {
  let size = 0;
  const lengths = chain.map((element) => {
    const length = Buffer.byteLength(element);
    size += 1 + varintSize(length) + length;
    return length;
  });
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const [i, element] of chain.entries()) {
    bytes[at++] = 0x0a; // field 1, length-delimited
    for (let rest = lengths[i] ?? 0; ; rest >>>= 7) {
      bytes[at++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80;
      if (rest < 0x80) break;
    }
    at += bytes.write(element, at);
  }
  return bytes;
}

const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;

function eachField(
  reader: BinaryReader,
  end: number,
  read: (field: number, wire: WireType) => boolean,
): void {
  while (reader.pos < end) {
    const [field, wire] = reader.tag();
    if (!read(field, wire)) reader.skip(wire, field);
  }
  if (reader.pos !== end) throw new RangeError('a field reaches beyond its message');
}

/** google.protobuf.Struct: map entries of key = 1 and Value = 2; other values than text are passed over. */
function readStruct(reader: BinaryReader, into: Record<string, string>): void {
  const length = reader.uint32();
  eachField(reader, reader.pos + length, (field, wire) => {
    if (field !== 1 || wire !== WireType.LengthDelimited) return false;
    const size = reader.uint32();
    let key = '';
    let value: string | undefined;
    eachField(reader, reader.pos + size, (part, kind) => {
      if (kind !== WireType.LengthDelimited) return false;
      if (part === 1) key = reader.string();
      else if (part === 2) value = readTextValue(reader);
      else return false;
      return true;
    });
    if (value !== undefined && key !== '__proto__') into[key] = value;
    return true;
  });
}

function readTextValue(reader: BinaryReader): string | undefined {
  const length = reader.uint32();
  let text: string | undefined;
  eachField(reader, reader.pos + length, (field, wire) => {
    if (field !== 3 || wire !== WireType.LengthDelimited) return false;
    text = reader.string();
    return true;
  });
  return text;
}

function ttlOf(seconds: bigint | string | number): number {
  return Math.max(-1, Math.min(Number(seconds), maxTtlSeconds)) * 1000;
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new MeshrootError('bad-message', `not a message of the certificate service: ${messageOf(error)}`);
  }
}
