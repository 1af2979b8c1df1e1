import { parse } from 'yaml';

/** One line of the table of values. */
export interface ValueRow {
  readonly path: string;
  readonly text: string;
  readonly value: unknown;
}

/**
 * Every value of a values.yaml that has a comment `# -- text` right above its key, by its path.
 * @throws Error naming a value that no comment describes
 */
export function valueRows(yaml: string): ValueRow[] {
  const rows: ValueRow[] = [];
  const path: { indent: number; key: string }[] = [];
  const values: unknown = parse(yaml);
  let text: string | undefined;
  for (const line of yaml.split('\n')) {
    const comment = /^\s*# -- (.*)$/.exec(line);
    if (comment !== null) text = comment[1];
    const key = /^(\s*)([\w.-]+):/.exec(line);
    if (key === null) continue;
    const indent = key[1]?.length ?? 0;
    while (path.length > 0 && (path.at(-1)?.indent ?? 0) >= indent) path.pop();
    path.push({ indent, key: key[2] ?? '' });
    if (text !== undefined) {
      rows.push({
        path: dotted(path),
        text,
        value: valueAt(
          values,
          path.map(({ key: k }) => k),
        ),
      });
    }
    text = undefined;
  }
  refuseUndescribed(values, rows, '');
  return rows;
}

/** The rows as a table of Markdown. */
export function valueTable(rows: readonly ValueRow[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const line = ({ path, value, text }: ValueRow): string =>
    `| \`${path}\` | \`${cell(JSON.stringify(value))}\` | ${cell(text)} |`;
  return ['| value | default | meaning |', '|---|---|---|', ...rows.map(line)].join('\n');
}

/** README.md with the table between its two marks. @throws Error when a mark is not there */
export function withTable(readme: string, table: string): string {
  const [before, rest] = readme.split('<!-- values:begin -->\n');
  const after = rest?.split('<!-- values:end -->')[1];
  if (before === undefined || after === undefined) throw new Error('README.md has no marks of the table');
  return `${before}<!-- values:begin -->\n${table}\n<!-- values:end -->${after}`;
}

const dotted = (path: readonly { key: string }[]): string => path.map(({ key }) => key).join('.');

function valueAt(values: unknown, path: readonly string[]): unknown {
  let at = values;
  for (const key of path) at = isMap(at) ? at[key] : undefined;
  return at;
}

/** A row stands for everything below it. */
function refuseUndescribed(value: unknown, rows: readonly ValueRow[], path: string): void {
  if (rows.some((row) => row.path === path)) return;
  if (!isMap(value)) throw new Error(`values.yaml: ${path} has no line "# -- what it is" above it`);
  for (const [key, below] of Object.entries(value)) {
    refuseUndescribed(below, rows, path === '' ? key : `${path}.${key}`);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
