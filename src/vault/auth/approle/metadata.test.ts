import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../../core/refusal.ts';
import { parseMetadata } from './metadata.ts';

test('metadata comes as JSON, as JSON in base64, or as pairs', () => {
  expect(parseMetadata('')).toEqual({});
  expect(parseMetadata('{"a":"b"}')).toEqual({ a: 'b' });
  expect(parseMetadata(Buffer.from('{"a":"b"}').toString('base64'))).toEqual({ a: 'b' });
  expect(parseMetadata('a=b, c=d=e')).toEqual({ a: 'b', c: 'd=e' });
});

test('anything else is refused, whatever it is', () => {
  expect(() => parseMetadata('x')).toThrow(
    'failed to parse metadata: it is neither a JSON object of strings nor k=v pairs',
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        const found = parseMetadata(text);
        expect(Object.values(found).every((value) => typeof value === 'string')).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
    }),
  );
});
