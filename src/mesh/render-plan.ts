import type { Plan, PlannedResource } from './plan.ts';
import type { Decision } from './resource.ts';
import type { Mesh } from './schema.ts';
import { vaultPlace } from './vault-place.ts';

/** The sign in front of a row, as in Terraform. */
const signs: Readonly<Record<Decision['kind'], string>> = {
  keep: ' ',
  add: '+',
  change: '~',
  wait: '.',
  refuse: 'x',
  unseen: '?',
};

export interface PlanContext {
  /** Address of the mesh's Vault. */
  readonly vault: string;
  /** Of a cluster's own. */
  vaultOf?(cluster: string): string | undefined;
  readonly file: string;
}

/** What a plan of `mesh` says besides its rows; `file` is what the next command is told. */
export function planContext(mesh: Mesh, file: string): PlanContext {
  const own = new Map(mesh.clusters.map((cluster) => [cluster.name, vaultPlace(mesh, cluster).address]));
  return { vault: mesh.vault.address, vaultOf: (cluster) => own.get(cluster), file };
}

/** The difference a person can read aloud; rows that stay as they are are left out unless they carry a warning. */
export function renderPlan(plan: Plan, context: PlanContext): string {
  const groups = new Map<string, PlannedResource[]>();
  for (const item of plan.items) {
    const { group } = item.resource;
    groups.set(group, groups.get(group) ?? []);
    groups.get(group)?.push(item);
  }
  const blocks = [...groups]
    .map(([group, items]) => renderGroup(group, items, context.vaultOf?.(group) ?? context.vault))
    .filter((block) => block !== '');
  return [...blocks, summaryLine(plan, context.file), ''].join('\n');
}

function renderGroup(group: string, items: readonly PlannedResource[], vault: string): string {
  const rows = items.flatMap(renderItem);
  if (rows.length === 0) return '';
  const title = group === 'mesh' ? 'mesh' : `cluster ${group}`;
  return [`${title.padEnd(52)}  vault ${vault}`, ...rows].join('\n');
}

function renderItem({ resource, decision }: PlannedResource): string[] {
  const row = `  ${signs[decision.kind]} ${resource.label.padEnd(50)} ${resource.summary}`.trimEnd();
  switch (decision.kind) {
    case 'keep':
      return decision.warning === undefined ? [] : [`  ! ${decision.warning}`];
    case 'add':
    case 'change':
      return [row, ...decision.lines.map((line) => `      ${line}`)];
    case 'wait':
      return [`  . ${resource.label.padEnd(50)} ${decision.why}`, `      ${decision.next}`];
    case 'refuse':
      return [`  x ${decision.error.message}`, `      ${decision.error.hint ?? ''}`.trimEnd()];
    case 'unseen':
      return [`  ? ${resource.label.padEnd(50)} ${decision.why}`];
  }
}

function summaryLine({ items }: Plan, file: string): string {
  const count = (kind: Decision['kind']) => items.filter(({ decision }) => decision.kind === kind).length;
  const warnings = items.filter(
    ({ decision }) => decision.kind === 'keep' && decision.warning !== undefined,
  ).length;
  const [add, change, wait, refuse, unseen] = (['add', 'change', 'wait', 'refuse', 'unseen'] as const).map(
    count,
  ) as [number, number, number, number, number];
  const parts = [
    add + change === 0
      ? unseen === 0
        ? 'nothing to change'
        : 'nothing to change in what could be seen'
      : `${add} to add, ${change} to change, 0 to remove`,
    ...(warnings === 0 ? [] : [`${warnings} warning${warnings === 1 ? '' : 's'}`]),
    ...(wait === 0 ? [] : [`${wait} waiting for a signature`]),
    ...(refuse === 0 ? [] : [`${refuse} refused`]),
    ...(unseen === 0 ? [] : [`${unseen} not seen`]),
    'nothing was written',
  ];
  const next = add + change === 0 ? '' : `        apply with: meshroot apply -f ${file}`;
  return `${parts.join('. ')}${next}`;
}

/** The same as data. */
export function planToJson({ items, changes }: Plan): object {
  return {
    changes,
    items: items.map(({ resource: { group, label, summary }, decision }) => ({
      group,
      label,
      summary,
      action: decision.kind,
      ...('lines' in decision && { lines: decision.lines }),
      ...('warning' in decision && { warning: decision.warning }),
      ...('error' in decision && { error: decision.error }),
      ...('why' in decision && { why: decision.why }),
      ...('next' in decision && { next: decision.next }),
    })),
  };
}
