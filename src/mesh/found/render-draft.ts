import type { ClusterDraft } from './draft-cluster.ts';
import type { MeshDraft } from './draft-mesh.ts';
import { plainLine } from './plain-line.ts';

/** What was found and what is to be decided, cluster by cluster, for people. */
export function renderDraft(clusters: readonly ClusterDraft[], { warnings }: MeshDraft): string {
  const blocks = clusters.flatMap(({ name, context, found, unseen, decide }) => [
    `cluster ${name}${name === context ? '' : `      context ${plainLine(context)}`}`,
    ...rows('found', found),
    ...rows('unseen', unseen),
    ...rows('decide', decide),
  ]);
  return [...blocks, ...warnings.map((line) => `warning  ${plainLine(line)}`), ''].join('\n');
}

const rows = (word: string, lines: readonly string[]): string[] =>
  lines.map((line) => `  ${word.padEnd(6)}  ${line}`);

/** The same as data. */
export function draftToJson(
  clusters: readonly ClusterDraft[],
  { warnings }: MeshDraft,
  files: readonly string[],
): object {
  return {
    files,
    warnings,
    clusters: clusters.map(({ name, context, found, unseen, decide, roots, entry }) => ({
      name,
      context,
      root: roots[0]?.fingerprint ?? null,
      entry,
      found,
      unseen,
      decide,
    })),
  };
}
