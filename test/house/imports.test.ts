import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const src = new URL('../../src/', import.meta.url).pathname;

/** The walls of the house (ARCHITECTURE.md): which rooms a room may import. `lib` is open to all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  x509: ['lib'],
  vault: ['lib', 'x509'],
  client: ['lib', 'x509'],
  kube: ['lib'],
  sandbox: ['lib', 'x509', 'kube'],
  injector: ['lib', 'x509', 'kube', 'istio'],
  istio: ['lib', 'x509', 'client', 'kube'],
  agent: ['lib', 'x509', 'client', 'istio'],
  rotation: ['lib', 'x509', 'client', 'kube', 'istio'],
  mesh: ['lib', 'x509', 'client', 'kube', 'istio', 'rotation'],
  up: ['lib', 'x509', 'client', 'kube', 'istio', 'rotation', 'mesh', 'insight', 'sandbox', 'server'],
  insight: ['lib', 'x509', 'client', 'kube', 'istio', 'mesh', 'rotation'],
  server: ['*'],
  cli: ['*'],
};

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
const roomOf = (file: string): string => file.split('/')[0] ?? '';

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, path]) => relative(src, join(src, dirname(file), path ?? '')));
}

describe('the house', () => {
  test('every folder of src is a room of the table', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in allowed))).toEqual([]);
  });

  test('imports go one way', () => {
    const wrong = files.flatMap((file) => {
      const room = roomOf(file);
      const may = allowed[room] ?? [];
      return importsOf(file)
        .filter((target) => !(file.endsWith('.test.ts') && roomOf(target) === '..')) // test/support is open to tests
        .filter((target) => roomOf(target) !== room && !may.includes('*') && !may.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('only cli is entered from nowhere: no room imports a command', () => {
    const wrong = files
      .filter((f) => roomOf(f) !== 'cli')
      .flatMap((f) => importsOf(f).filter((t) => roomOf(t) === 'cli'));
    expect(wrong).toEqual([]);
  });

  test('no test depends on a measurement: what both need is in test/support', () => {
    const test = new URL('../', import.meta.url).pathname;
    const wrong = readdirSync(test, { recursive: true, encoding: 'utf8' }).filter(
      (f) => f.endsWith('.ts') && /from '(\.\.\/)+bench\//.test(readFileSync(join(test, f), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  test('time and randomness come in as parameters: no Date.now outside lib/clock', () => {
    const wrong = files.filter(
      (f) =>
        !f.endsWith('.test.ts') &&
        f !== 'lib/clock.ts' &&
        /\bDate\.now\(/.test(readFileSync(join(src, f), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  test('no file is a utils, helpers or index drawer', () => {
    expect(files.filter((f) => /(^|\/)(utils?|helpers?|index|common|misc)\.ts$/.test(f))).toEqual([]);
  });

  test('no source file is longer than 400 lines', () => {
    const long = files.filter(
      (f) => readFileSync(join(src, f), 'utf8').split('\n').length > (f.endsWith('.test.ts') ? 500 : 400),
    );
    expect(long).toEqual([]);
  });

  test('processes are ended and the console is written only by cli and server', () => {
    const wrong = files.filter(
      (f) =>
        !f.endsWith('.test.ts') &&
        !['cli', 'server'].includes(roomOf(f)) &&
        /\bconsole\.(log|error|warn)\(|\bprocess\.exit\(/.test(readFileSync(join(src, f), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });
});
