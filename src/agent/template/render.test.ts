import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TemplateError } from './errors.ts';
import type { Brain } from './functions/vault.ts';
import { renderTemplate } from './render.ts';

const nothing: Brain = { secret: () => undefined, list: () => [], file: () => '', pems: () => undefined };
const limits = { steps: 20_000, outputBytes: 100_000, depth: 50 };
const render = (contents: string): string =>
  renderTemplate({ contents, brain: nothing, env: {}, now: () => 1_700_000_000_123, limits }).toString(
    'utf8',
  );

describe('a template', () => {
  test.each([
    ['{{range 1000000000}}{{end}}', 'it was stopped after 20000 steps'],
    ['{{range loop 0 99999999999}}x{{end}}', 'it was stopped after 20000 steps'],
    [
      '{{range 3000}}{{"0123456789012345678901234567890123456789"}}{{end}}',
      'it was stopped after writing 100000 bytes',
    ],
  ])('that does not end is stopped: %s', (contents, message) => {
    expect(() => render(contents)).toThrow(expect.objectContaining({ code: 'template-limit' }));
    expect(() => render(contents)).toThrow(message);
  });

  test('that calls itself for ever is stopped', () => {
    expect(() => render('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}')).toThrow(
      'exceeded maximum template depth (50)',
    );
    expect(() => render('{{define "a"}}{{executeTemplate "a"}}{{end}}{{executeTemplate "a"}}')).toThrow(
      TemplateError,
    );
  });

  test('nested thousands of levels deep is refused, not a stack overflow', () => {
    expect(() => render(`{{${'('.repeat(5000)}1${')'.repeat(5000)}}}`)).toThrow(
      'max expression depth exceeded',
    );
    expect(() => render(`${'{{if 1}}'.repeat(5000)}${'{{end}}'.repeat(5000)}`)).toThrow(
      'max expression depth exceeded',
    );
  });

  test('can give any bytes, as a key store in base64', () => {
    const bytes = renderTemplate({
      contents: '{{base64Decode "//4AAQ=="}}',
      brain: nothing,
      env: {},
      now: () => 0,
    });
    expect(bytes).toEqual(Buffer.from([0xff, 0xfe, 0, 1]));
  });

  test('formats the time by Go layouts, in UTC', () => {
    expect(render('{{timestamp}} {{timestamp "unix"}} {{timestamp "Mon Jan _2 15:04:05.000 2006"}}')).toBe(
      '2023-11-14T22:13:20Z 1700000000 Tue Nov 14 22:13:20.123 2023',
    );
  });

  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    'if',
    'else',
    'end',
    'range',
    'with',
    'define',
    'template',
    'block',
    'break',
    'continue',
    '"a"',
    '`b`',
    "'c'",
    '$x',
    ':=',
    '=',
    '|',
    '(',
    ')',
    '.',
    '.Data',
    '.x',
    ' ',
    '\n',
    'printf',
    '"%d %s %v"',
    'len',
    'index',
    'eq',
    'and',
    'or',
    'not',
    '1',
    '-2',
    '0x1F',
    '1.5e3',
    '1i',
    'nil',
    'true',
    'secret',
    '"kv/x"',
    'toJSON',
    'toYAML',
    'parseJSON',
    'split',
    'join',
    'add',
    'divide',
    ',',
    '/*',
    '*/',
    'é',
    '\u0000',
    'loop',
    'slice',
    'regexMatch',
    'executeTemplate',
    'scratch',
  );
  test('of any text is rendered or refused with a reason', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((p) => p.join('')),
      fc.array(piece, { maxLength: 12 }).map((p) => `{{${p.join(' ')}}}`),
    );
    fc.assert(
      fc.property(texts, (contents) => {
        try {
          render(contents);
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
          expect((error as Error).message).toMatch(/^template: /);
        }
      }),
      { numRuns: 4000 },
    );
  });
});
