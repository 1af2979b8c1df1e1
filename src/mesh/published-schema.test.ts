import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshJsonSchema } from './json-schema.ts';

const path = new URL('../../docs/mesh.schema.json', import.meta.url);

test('docs/mesh.schema.json is what the code says; WRITE_SCHEMA=1 and npm run format write it anew', () => {
  if (process.env.WRITE_SCHEMA !== undefined) writeFileSync(path, JSON.stringify(meshJsonSchema()));
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(meshJsonSchema())));
});
