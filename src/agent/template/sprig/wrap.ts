/**
 * Breaks a line at spaces so that no part is longer than `width` bytes; spaces at the start of a part are dropped.
 * @param breakWords a word that does not fit is broken; otherwise it stands alone and is too long
 */
export function wrapped(text: string, width: number, newLine: string, breakWords: boolean): string {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    if (rest.startsWith(' ')) {
      rest = rest.slice(1);
      continue;
    }
    const space = rest.lastIndexOf(' ', room);
    const end = space >= 0 ? space : breakWords ? room : rest.indexOf(' ', room);
    if (end < 0) break;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + (rest[end] === ' ' && (space >= 0 || !breakWords) ? 1 : 0));
  }
  return [...lines, rest].join(newLine);
}
