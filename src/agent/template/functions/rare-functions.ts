import type { FunctionTable } from './define.ts';

/** Functions that few templates use, by what their names have in common; an agent's start should not wait for them. */
const rare: readonly (readonly [word: string, load: (now: () => number) => Promise<FunctionTable>])[] = [
  ['sprig_', async (now) => (await import('../sprig/sprig-functions.ts')).sprigFunctions(now)],
  ['spew_', async () => (await import('./spew.ts')).spewFunctions],
  ['sockaddr', async () => (await import('./sockaddr.ts')).sockaddrFunctions()],
  ['plugin', async () => (await import('./plugin.ts')).pluginFunctions],
];

/** Loads what a template's text may need beyond the everyday functions; undefined when it needs none. */
export async function rareFunctions(contents: string, now: () => number): Promise<FunctionTable | undefined> {
  const needed = rare.filter(([word]) => contents.includes(word));
  if (needed.length === 0) return undefined;
  const tables = await Promise.all(needed.map(([, load]) => load(now)));
  return Object.assign({}, ...tables) as FunctionTable;
}
