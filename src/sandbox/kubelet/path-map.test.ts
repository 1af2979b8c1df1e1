import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PathMap } from './path-map.ts';

const map = new PathMap([
  { inside: '/vault/secrets', host: '/h/v1' },
  { inside: '/vault/secrets/deep/', host: '/h/v2' },
  { inside: '/tmp', host: '/h/tmp' },
  { inside: '/tmp/keep', host: '/tmp/keep' },
]);

describe('a mounted path is rewritten', () => {
  test.each([
    ['/vault/secrets', '/h/v1'],
    ['-config=/vault/secrets/a.json', '-config=/h/v1/a.json'],
    ['/vault/secrets/deep/x', '/h/v2/x'],
    ["cat '/vault/secrets/a' > /tmp/b && echo", "cat '/h/v1/a' > /h/tmp/b && echo"],
    ['/tmp:/vault/secrets:/usr/bin', '/h/tmp:/h/v1:/usr/bin'],
    ['{"destination":"/vault/secrets/ca-key.pem"}', '{"destination":"/h/v1/ca-key.pem"}'],
    ['file:///vault/secrets/jwks.json', 'file:///h/v1/jwks.json'],
  ])('%s', (text, expected) => expect(map.text(text)).toBe(expected));
});

describe('another path is left alone', () => {
  test.each([
    '/vault/secrets-2',
    '/vault/secretsx',
    '/vault/secrets.d/a',
    '/other/vault/secrets',
    './vault/secrets',
    'https://127.0.0.1:8200/vault/secrets',
    '/tmp/keep/this',
    'kubernetes-cluster1-secrets/istiod-service/certs',
  ])('%s', (text) => expect(map.text(text)).toBe(text));
});

test('inside base64 the text is rewritten, bytes and unrelated text stay as they were', () => {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  expect(map.base64(encode('{"path":"/vault/secrets/x"}'))).toBe(encode('{"path":"/h/v1/x"}'));
  const bytes = Buffer.from([0xff, 0xfe, 1]).toString('base64');
  expect(map.base64(bytes)).toBe(bytes);
  expect(map.base64('aGVsbG8')).toBe('aGVsbG8');
});

test('one path is looked up by its longest mounted parent', () => {
  expect(map.path('/vault/secrets/deep/a/b')).toBe('/h/v2/a/b');
  expect(map.path('/vault//secrets/')).toBe('/h/v1');
  expect(map.path('/vault')).toBeUndefined();
});

const segment = fc.stringMatching(/^[a-c.$(*-]{1,3}$/);
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);

test('a whole path in any text is rewritten exactly when a lookup finds it', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 6 }), path, (mounts, asked) => {
      const paths = new PathMap(mounts.map((inside, i) => ({ inside, host: `/HOST/${i}` })));
      const expected = paths.path(asked) ?? asked;
      // Shell and JSON write paths between quotes; `$`, `(` and `*` are not name characters and may end a mention.
      if (!/[$(*]/.test(asked + mounts.join(''))) expect(paths.text(`"${asked}"`)).toBe(`"${expected}"`);
    }),
  );
});

test('text without a mounted path comes back unchanged, and no text makes it throw', () => {
  fc.assert(
    fc.property(fc.array(path), fc.string(), fc.string(), (mounts, text, other) => {
      const paths = new PathMap(mounts.map((inside) => ({ inside, host: '/H' })));
      paths.base64(other);
      const mapped = paths.text(text);
      if (!mounts.some((mount) => text.includes(mount))) expect(mapped).toBe(text);
    }),
  );
});

test('rewriting is one pass: a host path that holds a mounted path is not rewritten again', () => {
  const nested = new PathMap([{ inside: '/tmp', host: '/tmp/pod/tmp' }]);
  expect(nested.text('/tmp/a /tmp')).toBe('/tmp/pod/tmp/a /tmp/pod/tmp');
});
