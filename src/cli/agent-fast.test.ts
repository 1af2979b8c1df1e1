import { describe, expect, test } from 'vitest';
import { parseFlags } from './agent-fast.ts';

describe('the flags of the agent', () => {
  test('are read by hand in both spellings', () => {
    expect(
      parseFlags(['--config=a.hcl', '--config', 'b.json', '--exit-after-auth', '--log-level=debug']),
    ).toEqual({
      config: ['a.hcl', 'b.json'],
      exitAfterAuth: true,
      logLevel: 'debug',
    });
    expect(parseFlags(['--exit-after-auth=false', '--log-format', 'json'])).toEqual({
      config: [],
      exitAfterAuth: 'false',
      logFormat: 'json',
    });
  });

  test.each([['--help'], ['--unknown=1'], ['word'], ['--config']])(
    'are left to commander otherwise: %s',
    (word) => {
      expect(parseFlags([word])).toBeUndefined();
    },
  );
});
