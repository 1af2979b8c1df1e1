import { type Cursor, here } from './cursor.ts';
import { HclError } from './tree.ts';

const opening = /<<(-?)([\p{L}\p{N}_.-]+)[ \t\r]*\n/uy;

/** A heredoc (`<<EOT` or `<<-EOT`); the cursor stands on `<<` and is left behind the closing marker. */
export function lexHeredoc(cursor: Cursor): string {
  const start = here(cursor);
  opening.lastIndex = cursor.position;
  const match = opening.exec(cursor.text);
  const marker = match?.[2];
  if (match === null || marker === undefined) {
    throw new HclError('a heredoc starts with << and a word at the end of the line', start);
  }
  let position = cursor.position + match[0].length;
  const lines: string[] = [];
  for (let line = cursor.line + 1; ; line++) {
    const end = cursor.text.indexOf('\n', position);
    const text = cursor.text.slice(position, end === -1 ? undefined : end);
    if (text.trim() === marker) {
      const indent = text.slice(0, text.indexOf(marker));
      Object.assign(cursor, {
        line,
        lineStart: position,
        position: position + indent.length + marker.length,
      });
      // Without the dash the blanks before the closing marker belong to the text.
      return match[1] === '-' ? joined(lines, indent) : joined(lines, '') + indent;
    }
    if (end === -1) throw new HclError(`the heredoc is not closed by ${marker}`, start);
    lines.push(text.replace(/\r$/, ''));
    position = end + 1;
  }
}

/** HCL 1 strips the closing marker's indentation, and only when every line has it. */
function joined(lines: readonly string[], indent: string): string {
  const stripped = lines.every((line) => line.startsWith(indent))
    ? lines.map((line) => line.slice(indent.length))
    : lines;
  return stripped.map((line) => `${line}\n`).join('');
}
