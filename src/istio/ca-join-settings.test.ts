import { expect, test } from 'vitest';
import { joinSettings } from './ca-join-settings.ts';

const vault = { address: 'https://v', tokenFile: 't' };

test('nothing is remembered unless asked; a KV path stands above memory', () => {
  expect(joinSettings({}, {})).toBeUndefined();
  expect(joinSettings({ joinOnce: true }, {})).toEqual({ kind: 'memory' });
  expect(joinSettings({ joinOnce: true, joinKvPath: '/kv/data/joined/', vault }, {})).toEqual({
    kind: 'vault',
    path: 'kv/data/joined',
    vault: expect.objectContaining({ address: 'https://v', login: { tokenFile: 't' } }),
  });
});

test.each(['secret/joined', 'data/joined', 'secret/data', 'secret/data/'])(
  '%s is no KV 2 path',
  (joinKvPath) => {
    expect(() => joinSettings({ joinKvPath, vault }, {})).toThrow(
      expect.objectContaining({
        code: 'bad-join-path',
        message: `"${joinKvPath}" is not a path of KV version 2`,
      }),
    );
  },
);

test('a KV path needs a Vault', () => {
  expect(() => joinSettings({ joinKvPath: 'secret/data/joined' }, {})).toThrow(
    expect.objectContaining({ code: 'signer-incomplete', message: '--join-kv-path lacks --vault-address' }),
  );
});
