import { expect, test } from 'vitest';
import { DerReader } from './der/reader.ts';
import { tags } from './der/tags.ts';
import { decodeName, encodeName, nameText, parseName } from './name.ts';

const decode = (der: Buffer) => decodeName(new DerReader(der).next(tags.sequence, 'a name'));

test('a name is parsed as openssl writes it and printed in the order of istiod', () => {
  const name = parseName('/O=Istio/CN=Intermediate CA/L=istiod-cluster1');
  expect(name).toEqual([
    { type: 'O', value: 'Istio' },
    { type: 'CN', value: 'Intermediate CA' },
    { type: 'L', value: 'istiod-cluster1' },
  ]);
  expect(nameText(name)).toBe('CN=Intermediate CA,O=Istio,L=istiod-cluster1');
  expect(decode(encodeName(name))).toEqual(name);
});

test('special characters are escaped in print, and a slash can be part of a value', () => {
  expect(nameText([{ type: 'CN', value: ' a,b+c#' }])).toBe('CN=\\ a\\,b\\+c#');
  expect(nameText([{ type: 'CN', value: '\u001b[31m' }])).toBe('CN=\\1B[31m');
  expect(parseName('/CN=a\\/b')).toEqual([{ type: 'CN', value: 'a/b' }]);
});

test('the empty name and the empty attribute of pilot-agent are names', () => {
  expect(parseName('/')).toEqual([]);
  expect(decode(encodeName([{ type: 'O', value: '' }]))).toEqual([{ type: 'O', value: '' }]);
});

test.each(['CN=x', '/FOO=x', '/CN'])('refuses %s', (text) => {
  expect(() => parseName(text)).toThrow(expect.objectContaining({ code: 'bad-name' }));
});
