import { bundleKvPath, clusterNames } from '../names.ts';
import { decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';

/** Least privilege: istiod may read the one entry with its own bundle, nothing else. */
export function policyResource(cluster: MeshCluster): Resource<string | undefined> {
  const { policy } = clusterNames(cluster);
  const wanted = policyText(cluster);
  return {
    group: cluster.name,
    label: `policy ${policy}`,
    summary: `read ${bundleKvPath(cluster)}, nothing else`,
    observe: async ({ vault }) => {
      const text = (await vault.read(`sys/policies/acl/${policy}`))?.data?.policy;
      return typeof text === 'string' ? text : undefined;
    },
    decide: (text) =>
      decideByLines(text !== undefined, text === undefined ? [] : differingLines(text, wanted)),
    write: async ({ vault }) => {
      await vault.write(`sys/policies/acl/${policy}`, { policy: wanted });
    },
  };
}

/** The seed's policy, to the letter: an existing one of a hand-made mesh yields no difference. */
export function policyText(cluster: MeshCluster): string {
  return `path "${bundleKvPath(cluster)}" {\n  capabilities = ["read"]\n}\n`;
}

/** Lines only in the old text with `-`, only in the new one with `+`; empty when they say the same. */
function differingLines(old: string, wanted: string): string[] {
  const rows = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const [a, b] = [rows(old), rows(wanted)];
  if (a.join('\n') === b.join('\n')) return [];
  return [
    ...a.filter((line) => !b.includes(line)).map((l) => `- ${l}`),
    ...b.filter((line) => !a.includes(line)).map((l) => `+ ${l}`),
  ];
}
