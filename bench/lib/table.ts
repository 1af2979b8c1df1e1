import { type Measure, measures, type Sample } from './measures.ts';
import type { Limit, Mark } from './question.ts';
import { median, spreadOf } from './statistics.ts';

export type Results = ReadonlyMap<string, readonly Sample[]>;

/** `median (min..max)` of every measure of every variant, as a Markdown table. */
export function resultTable(results: Results, columns: readonly Measure[]): string {
  const head = ['variant', ...columns.map((measure) => measures[measure].title)];
  const rows = [...results].map(([name, samples]) => [
    name,
    ...columns.map((measure) => cell(valuesOf(samples, measure), measures[measure].digits)),
  ]);
  return markdownTable(head, rows);
}

/** Text columns left, all others right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export function valuesOf(samples: readonly Sample[], measure: Measure): number[] {
  return samples.flatMap((sample) => sample[measure] ?? []);
}

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return 'not measured';
  const { median: middle, min, max } = spreadOf(values);
  const text = (value: number) => value.toFixed(digits);
  return values.length === 1 ? text(middle) : `${text(middle)} (${text(min)}..${text(max)})`;
}

/** One sentence per mark whose two variants were both measured. */
export function markLines(results: Results, marks: readonly Mark[]): string[] {
  return marks.flatMap((mark) => {
    const ratio = ratioOf(results, mark);
    if (ratio === undefined) return [];
    const { atLeast, atMost } = mark;
    const reached = ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Number.POSITIVE_INFINITY);
    const wanted = atLeast === undefined ? `at most ${atMost}x` : `at least ${atLeast}x`;
    const verdict = reached ? 'reached' : 'missed';
    return [
      `${mark.ours}: ${ratio.toFixed(2)}x of ${mark.other} in ${measures[mark.measure].title} (mark: ${wanted}, ${verdict})`,
    ];
  });
}

/** One sentence per limit whose variant was measured: by its median. */
export function limitLines(results: Results, limits: readonly Limit[]): string[] {
  return limits.flatMap(({ ours, measure, below }) => {
    const values = valuesOf(results.get(ours) ?? [], measure);
    if (values.length === 0) return [];
    const { title, digits } = measures[measure];
    const verdict = median(values) < below ? 'reached' : 'missed';
    return [`${ours}: ${title} ${median(values).toFixed(digits)} (mark: below ${below}, ${verdict})`];
  });
}

export function ratioOf(results: Results, { ours, other, measure }: Mark): number | undefined {
  const ratio =
    median(valuesOf(results.get(ours) ?? [], measure)) / median(valuesOf(results.get(other) ?? [], measure));
  return Number.isFinite(ratio) ? ratio : undefined;
}
