import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedLines, lineDiff } from './line-diff.ts';

test('what changed is shown with its surroundings, what lies far away is not', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng';
  const after = 'a\nb\nc\nd\nnew\ne\nf\nG';
  expect(changedLines(lineDiff(before, after), 1)).toEqual(['  d', '+ new', '  e', '  f', '+ G', '- g']);
  const far = changedLines(lineDiff('1\n2\n3\n4\n5\n6', '0\n1\n2\n3\n4\n5\n6\n7'), 1);
  expect(far).toEqual(['+ 0', '  1', '…', '  6', '+ 7']);
});

test('both texts can be read out of any diff', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((all) => all.join('\n'));
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = lineDiff(before, after);
      const side = (sign: string) => diff.filter((line) => line.sign !== sign).map(({ text }) => text);
      expect(side('+').join('\n')).toBe(before);
      expect(side('-').join('\n')).toBe(after);
    }),
  );
});
