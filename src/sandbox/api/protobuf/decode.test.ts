import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProtobuf } from './decode.ts';
import { WireError } from './wire.ts';

const magic = Buffer.from('k8s\0');

/** A length-delimited field. */
function field(number: number, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}
const number = (n: number, value: number): Buffer => Buffer.concat([varint(n << 3), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

const object = (apiVersion: string, kind: string, ...fields: Buffer[]): Buffer =>
  Buffer.concat([
    magic,
    field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
    field(2, Buffer.concat(fields)),
  ]);

describe('a protobuf body', () => {
  test('of a Secret becomes its JSON, zero values left out', () => {
    const metadata = Buffer.concat([
      field(1, 's'),
      field(2, ''),
      field(8, ''),
      field(11, Buffer.concat([field(1, 'a'), field(2, 'b')])),
    ]);
    const entry = Buffer.concat([field(1, 'key'), field(2, 'value')]);
    expect(
      decodeProtobuf(object('v1', 'Secret', field(1, metadata), field(2, entry), field(3, 'Opaque'))),
    ).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', labels: { a: 'b' } },
      data: { key: 'dmFsdWU=' },
      type: 'Opaque',
    });
  });
  test('of a TokenRequest keeps a pointer to zero', () => {
    const spec = Buffer.concat([field(1, 'istio-ca'), number(4, 0)]);
    expect(decodeProtobuf(object('authentication.k8s.io/v1', 'TokenRequest', field(2, spec)))).toMatchObject({
      spec: { audiences: ['istio-ca'], expirationSeconds: 0 },
    });
  });
  test('of a Lease has its times', () => {
    const time = Buffer.concat([number(1, 1_700_000_000), number(2, 123_456_000)]);
    expect(decodeProtobuf(object('coordination.k8s.io/v1', 'Lease', field(2, field(3, time))))).toMatchObject(
      {
        spec: { acquireTime: '2023-11-14T22:13:20.123456Z' },
      },
    );
  });
  test('of a kind that is not known is not read', () => {
    expect(decodeProtobuf(object('example.com/v1', 'Thing'))).toBeUndefined();
  });
  test('that is cut off or has no prefix is refused', () => {
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('the body has no k8s prefix');
    expect(() => decodeProtobuf(object('v1', 'Secret', field(1, 'x')).subarray(0, -1))).toThrow(WireError);
  });
  test('fuzzed is an object, unknown, or a WireError', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom('Pod', 'Secret', 'Event', 'x'),
        (bytes, kind) => {
          try {
            decodeProtobuf(object('v1', kind, Buffer.from(bytes)));
          } catch (error) {
            expect(error instanceof WireError || error instanceof SyntaxError).toBe(true);
          }
        },
      ),
    );
  });
});
