import { describe, expect, test } from 'vitest';
import { commandEnvironment } from './command-environment.ts';

const env = { PATH: '/bin', VAULT_ADDR: 'http://v', VAULT_TOKEN: 't', HOME: '/' };
const wish = { pristine: false, custom: [], allowlist: [], denylist: [] };

describe('the environment of a command', () => {
  test.each([
    ['is that of the agent unless it says otherwise', undefined, env],
    ['has what is added', { ...wish, custom: ['A=b=c', 'B'] }, { ...env, A: 'b=c', B: '' }],
    ['has only what is added when pristine', { ...wish, pristine: true, custom: ['A=b'] }, { A: 'b' }],
    [
      'has what is allowed and not denied',
      { ...wish, allowlist: ['VAULT_*', 'HOM?'], denylist: ['*TOKEN'] },
      { VAULT_ADDR: 'http://v', HOME: '/' },
    ],
  ])('%s', (_, given, expected) => {
    expect(commandEnvironment(env, given)).toEqual(expected);
  });
});
