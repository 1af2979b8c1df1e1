import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from './json-lines.ts';

async function collect(chunks: Uint8Array[]): Promise<unknown[]> {
  const found: unknown[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const value of jsonLines(source())) found.push(value);
  return found;
}

test('values come out whole however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string({ unit: 'binary' }) })),
      fc.integer({ min: 1, max: 7 }),
      async (values, size) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        expect(await collect(chunks)).toEqual(values);
      },
    ),
  );
});

test('a last line without an end counts', async () => {
  expect(await collect([Buffer.from('{"a":1}\n\n{"b"'), Buffer.from(':2}')])).toEqual([{ a: 1 }, { b: 2 }]);
});
