import { relative } from 'node:path';

/** Relative to where the person stands, unless that leads up and down the tree. */
export function shortestPath(path: string): string {
  const short = relative(process.cwd(), path);
  if (short.startsWith('..')) return path;
  return short.includes('/') ? short : `./${short}`;
}
