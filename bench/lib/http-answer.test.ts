import { expect, test } from 'vitest';
import { isWhole, statusOf } from './http-answer.ts';

const answers = [
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'],
  ['without a body', 'HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n'],
] as const;

test.each(answers)('an answer %s is whole at its last byte and not before', (_, text) => {
  expect(isWhole(Buffer.from(text))).toBe(true);
  expect(isWhole(Buffer.from(text.slice(0, -1)))).toBe(false);
});

test('the status stands in the first line', () => {
  expect(statusOf(Buffer.from(answers[2][1]))).toBe(204);
});
