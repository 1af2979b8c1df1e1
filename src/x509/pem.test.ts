import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { pemBlocks, toPem } from './pem.ts';

test('blocks are read back as they were written, text around them is ignored', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const text = `Certificate: a comment\n${toPem('CERTIFICATE', bytes)}trailing\n${toPem('X', bytes)}`;
      expect(pemBlocks(text).map(({ label, der }) => [label, Buffer.from(der)])).toEqual([
        ['CERTIFICATE', Buffer.from(bytes)],
        ['X', Buffer.from(bytes)],
      ]);
    }),
  );
});

test('windows line ends and indentation are taken', () => {
  const text = toPem('CERTIFICATE', Buffer.alloc(60)).replaceAll('\n', '\r\n');
  expect(pemBlocks(text)).toHaveLength(1);
});

test.each([
  ['-----BEGIN CERTIFICATE-----\nAAAA\n', 'not PEM: a block is cut off or has no proper BEGIN and END lines'],
  ['-----BEGIN A-----\nAAAA\n-----END B-----\n', 'not PEM: a block begins as A and ends as B'],
  ['-----BEGIN A-----\n?\n-----END A-----\n', 'not PEM: the body of a A block is not base64'],
  ['x'.repeat(2 ** 21), 'not PEM: is longer than 1048576 characters'],
])('refuses %j', (text, message) => {
  expect(() => pemBlocks(text)).toThrow(expect.objectContaining({ code: 'bad-pem', message }));
});

test('line ends that were escaped on the way are named in the hint', () => {
  const text = toPem('CERTIFICATE', Buffer.alloc(60)).replaceAll('\n', '\\n');
  expect(() => pemBlocks(text)).toThrow(
    expect.objectContaining({ hint: 'its line ends are the two characters \\n instead of real ones' }),
  );
});

test('many openings without an end take no more than linear time', () => {
  const started = performance.now();
  expect(() => pemBlocks('-----BEGIN A-----\n'.repeat(50_000))).toThrow(MeshrootError);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('arbitrary text only ever gives a MeshrootError', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom('-----BEGIN A-----\n', '-----END A-----', '-----BEGIN ', '\n', 'AAAA'),
    ),
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      try {
        pemBlocks(parts.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(MeshrootError);
      }
    }),
  );
});
