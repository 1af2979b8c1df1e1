import { isRecord } from '../lib/records.ts';

/** More than this is a slip of the keyboard. */
const most = 100_000;

/**
 * Spells out patterns: a cluster with `each: { from: 1, to: 3 }` becomes three, `{n}` in its texts being the number.
 * What is not a pattern, or a wrong one, stays for the schema to judge.
 * @returns the same data with all clusters, and for each of them the index in the original list
 */
export function expandClusters(data: unknown): { data: unknown; sources: number[] } {
  if (!isRecord(data) || !Array.isArray(data.clusters)) return { data, sources: [] };
  const spelt = data.clusters.flatMap((cluster: unknown, source) =>
    copiesOf(cluster).map((copy) => ({ copy, source })),
  );
  return {
    data: { ...data, clusters: spelt.map(({ copy }) => copy) },
    sources: spelt.map(({ source }) => source),
  };
}

function copiesOf(cluster: unknown): unknown[] {
  const each = isRecord(cluster) && isRecord(cluster.each) ? cluster.each : {};
  const { from, to } = each;
  if (!isRecord(cluster) || !Number.isInteger(from) || !Number.isInteger(to)) return [cluster];
  const count = Number(to) - Number(from) + 1;
  if (count < 1 || count > most || Object.keys(each).length > 2) return [cluster];
  const { each: _, ...one } = cluster;
  return Array.from({ length: count }, (_, i) => numbered(one, String(Number(from) + i)));
}

function numbered(value: unknown, n: string): unknown {
  if (typeof value === 'string') return value.replaceAll('{n}', n);
  if (Array.isArray(value)) return value.map((item) => numbered(item, n));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, numbered(item, n)]));
}
