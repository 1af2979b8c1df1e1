import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './ca-messages.ts';

describe('messages of the certificate service', () => {
  test('a request survives the wire', () => {
    const request = {
      csr: '-----BEGIN',
      ttl: 3_600_000,
      metadata: { ImpersonatedIdentity: 'spiffe://a/ns/b/sa/c' },
    };
    expect(decodeRequest(encodeRequest(request))).toEqual(request);
  });

  test('the bytes are those of protoc: csr = 1, validity_duration = 3', () => {
    expect(encodeRequest({ csr: 'x', ttl: 86_400_000, metadata: {} }).toString('hex')).toBe('0a01781880a305');
  });

  test('a negative duration is read as one', () => {
    const bytes = Buffer.from('18ffffffffffffffffff01', 'hex');
    expect(decodeRequest(bytes).ttl).toBeLessThan(0);
  });

  test('a duration beyond all measure stays a number', () => {
    const bytes = Buffer.from('18ffffffffffffffff7f', 'hex');
    expect(decodeRequest(bytes).ttl).toBe(1e14);
  });

  test('values that are not text, and unknown fields, are passed over', () => {
    // Struct { a: true, b: "x" } and an unknown field 9
    const bytes = Buffer.from('22130a070a0161120220010a080a016212031a01784801', 'hex');
    expect(decodeRequest(bytes).metadata).toEqual({ b: 'x' });
  });

  test('responses keep their elements apart', () => {
    const chain = ['leaf\n', 'intermediate\n', 'root one\nroot two\n'];
    expect(decodeResponse(encodeResponse(chain))).toEqual(chain);
  });

  test('bytes of any kind give a request or one kind of refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeRequest(bytes);
          decodeResponse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MeshrootError);
          expect((error as MeshrootError).code).toBe('bad-message');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('every request survives the wire', () => {
    fc.assert(
      fc.property(
        fc.record({
          csr: fc.string({ unit: 'grapheme' }),
          ttl: fc.integer({ min: 0, max: 1e9 }).map((s) => s * 1000),
          metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme' })),
        }),
        (request) => {
          expect(decodeRequest(encodeRequest(request))).toEqual({
            ...request,
            metadata: { ...request.metadata },
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});
