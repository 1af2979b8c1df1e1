import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshJsonSchema } from './load.ts';

const path = new URL('../../docs/mesh.schema.json', import.meta.url);

test('docs/mesh.schema.json is what the code says; WRITE_SCHEMA=1 writes it anew', () => {
  const text = `${JSON.stringify(meshJsonSchema(), null, 2)}\n`;
  if (process.env.WRITE_SCHEMA !== undefined) writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
