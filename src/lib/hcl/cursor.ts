/** A place in the text, advanced by the lexers. */
export interface Cursor {
  readonly text: string;
  position: number;
  line: number;
  /** JSON strings know no interpolation. */
  readonly json: boolean;
  /** Position at which the current line starts. */
  lineStart: number;
}

export function here(cursor: Cursor): { line: number; column: number } {
  return { line: cursor.line, column: cursor.position - cursor.lineStart + 1 };
}

/** Steps over a line break that stands at the cursor. */
export function newLine(cursor: Cursor): void {
  cursor.position++;
  cursor.line++;
  cursor.lineStart = cursor.position;
}
