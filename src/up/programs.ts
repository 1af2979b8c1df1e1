import { fileURLToPath } from 'node:url';
import type { WithKey } from './options.ts';

/** This very program, as a command line. */
export const meshroot: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../bin/meshroot', import.meta.url)),
];

/** How the store is started: ours, or the user's own vault or bao. */
export function programOf(part: 'vault', real: ReadonlyMap<WithKey, string>): readonly string[] {
  const path = real.get(part);
  return path === undefined ? [...meshroot, 'vault', 'server'] : [path, 'server'];
}

/** Children see no more of our environment than they need. */
export function programEnvironment(home: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8' };
}
