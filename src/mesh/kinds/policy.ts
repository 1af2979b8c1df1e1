import { isKeyless, keylessPaths } from '../keyless.ts';
import { bundleKvPath, clusterNames } from '../names.ts';
import { policyMark, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';

/** Least privilege: istiod may read the one entry with its own bundle, nothing else. */
export function policyResource(cluster: MeshCluster): Resource<string | undefined> {
  const { policy } = clusterNames(cluster);
  const may = isKeyless(cluster)
    ? `sign by ${keylessPaths(cluster).sign}, nothing else`
    : `read ${bundleKvPath(cluster)}, nothing else`;
  return policyOf(cluster, policy, policyText(cluster), may);
}

/** A policy of the cluster's Vault by its name and text. */
export function policyOf(
  cluster: MeshCluster,
  policy: string,
  wanted: string,
  summary: string,
): Resource<string | undefined> {
  const path = `sys/policies/acl/${policy}`;
  return {
    group: cluster.name,
    label: `policy ${policy}`,
    summary,
    observe: async (reach) => {
      const text = (await clusterVault(reach, cluster.name).read(path))?.data?.policy;
      return typeof text === 'string' ? text : undefined;
    },
    decide: (text, { adopt }) => {
      const lines = text === undefined ? [] : differingLines(text, wanted);
      const decision = decideByLines(text !== undefined, lines);
      return unlessForeign(decision, isOurs(text), `policy ${policy}`, adopt);
    },
    write: async (reach, text) => {
      const mark = text === undefined || isOurs(text) ? `${policyMark}\n` : '';
      await clusterVault(reach, cluster.name).write(path, { policy: mark + wanted });
    },
    undo: {
      exists: (text) => text !== undefined,
      made: isOurs,
      remove: async (reach) => {
        await clusterVault(reach, cluster.name).delete(path);
        return undefined;
      },
    },
  };
}

const isOurs = (text: string | undefined): boolean => text?.startsWith(policyMark) === true;

/** The seed's policy, to the letter: an existing one of a hand-made mesh yields no difference. */
export function policyText(cluster: MeshCluster): string {
  if (isKeyless(cluster)) {
    const { sign, chain } = keylessPaths(cluster);
    return policyRule(sign, ['create', 'update']) + policyRule(chain, ['read']);
  }
  return policyRule(bundleKvPath(cluster), ['read']);
}

export function policyRule(path: string, capabilities: readonly string[]): string {
  const list = capabilities.map((word) => `"${word}"`).join(', ');
  return `path "${path}" {\n  capabilities = [${list}]\n}\n`;
}

/** Lines only in the old text with `-`, only in the new one with `+`; empty when they say the same. */
function differingLines(old: string, wanted: string): string[] {
  const rows = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  const [a, b] = [rows(old), rows(wanted)];
  if (a.join('\n') === b.join('\n')) return [];
  return [
    ...a.filter((line) => !b.includes(line)).map((l) => `- ${l}`),
    ...b.filter((line) => !a.includes(line)).map((l) => `+ ${l}`),
  ];
}
