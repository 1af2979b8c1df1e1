/**
 * Go's flag package takes `-config=x` where GNU tools take `--config=x`. Rewrites the first form into the second for
 * words of two or more letters; leaves `-f x`, `--x`, values and everything behind `--` alone.
 */
export function fromGoFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, i) => {
    if (end !== -1 && i >= end) return word;
    return /^-[a-zA-Z][\w-]+(=|$)/.test(word) ? `-${word}` : word;
  });
}
