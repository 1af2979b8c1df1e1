export interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/** The lines of two texts side by side: a longest common subsequence stays, the rest is gone or new. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [old, fresh] = [a[i], b[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ sign: ' ', text: old });
      i++;
      j++;
    } else if (fresh !== undefined && (old === undefined || at(common, i, j + 1) >= at(common, i + 1, j))) {
      lines.push({ sign: '+', text: fresh });
      j++;
    } else {
      lines.push({ sign: '-', text: old ?? '' });
      i++;
    }
  }
  return lines;
}

/** [i][j] = length of the longest common subsequence of the lines from i and from j on. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = rows[i];
      if (row === undefined) continue;
      row[j] = a[i] === b[j] ? at(rows, i + 1, j + 1) + 1 : Math.max(at(rows, i + 1, j), at(rows, i, j + 1));
    }
  }
  return rows;
}

function at(rows: readonly Uint32Array[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}

/** Only what changed, with `context` lines around it; `…` where lines are left out. */
export function changedLines(lines: readonly DiffLine[], context = 3): string[] {
  const near = (i: number): boolean => lines.slice(Math.max(0, i - context), i + context + 1).some(isChange);
  const shown: string[] = [];
  let gap = false;
  for (const [i, line] of lines.entries()) {
    if (!near(i)) {
      gap = true;
      continue;
    }
    if (gap && shown.length > 0) shown.push('…');
    gap = false;
    shown.push(`${line.sign} ${line.text}`.trimEnd());
  }
  return shown;
}

function isChange({ sign }: DiffLine): boolean {
  return sign !== ' ';
}
