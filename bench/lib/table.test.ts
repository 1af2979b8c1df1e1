import { expect, test } from 'vitest';
import { markdownTable, markLines, resultTable } from './table.ts';

const results = new Map([
  [
    'ours',
    [
      { perSecond: 100, p99: 2 },
      { perSecond: 300, p99: 4 },
      { perSecond: 200, p99: 3 },
    ],
  ],
  ['real', [{ perSecond: 100 }]],
]);

test('a table has the median and the range of several runs, and the value alone of one', () => {
  expect(resultTable(results, ['perSecond', 'p99'])).toBe(
    [
      '| variant | per second | p99 ms |',
      '| --- | ---: | ---: |',
      '| ours | 200 (100..300) | 3.00 (2.00..4.00) |',
      '| real | 100 | not measured |',
    ].join('\n'),
  );
});

test('a bar in a name does not break the table', () => {
  expect(markdownTable(['a'], [['x|y']])).toContain('| x\\|y |');
});

test('a mark says the ratio of medians and whether it was reached', () => {
  const mark = { ours: 'ours', other: 'real', measure: 'perSecond' } as const;
  expect(markLines(results, [{ ...mark, atLeast: 2 }])).toEqual([
    'ours: 2.00x of real in per second (mark: at least 2x, reached)',
  ]);
  expect(markLines(results, [{ ...mark, atMost: 1 }])).toEqual([
    'ours: 2.00x of real in per second (mark: at most 1x, missed)',
  ]);
});

test('a mark whose other side was not measured is left out', () => {
  expect(markLines(results, [{ ours: 'ours', other: 'absent', measure: 'perSecond', atLeast: 1 }])).toEqual(
    [],
  );
  expect(markLines(results, [{ ours: 'ours', other: 'real', measure: 'p99', atMost: 1 }])).toEqual([]);
});
