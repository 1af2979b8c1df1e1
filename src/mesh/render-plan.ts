import type { Plan, PlannedResource } from './plan.ts';
import type { Decision } from './resource.ts';
import type { Mesh } from './schema.ts';
import { vaultPlace } from './vault-place.ts';

/** The sign in front of a row, as in Terraform. */
const signs: Readonly<Record<Decision['kind'], string>> = {
  keep: ' ',
  add: '+',
  change: '~',
  remove: '-',
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
  /** Whether the plan takes over what others made. */
  readonly adopt?: boolean;
}

/** What a plan of `mesh` says besides its rows; `file` is what the next command is told. */
export function planContext(mesh: Mesh, file: string, adopt = false): PlanContext {
  const own = new Map(mesh.clusters.map((cluster) => [cluster.name, vaultPlace(mesh, cluster).address]));
  return { vault: mesh.vault.address, vaultOf: (cluster) => own.get(cluster), file, adopt };
}

/** The difference a person can read aloud; rows that stay as they are are left out unless they carry a warning. */
export function renderPlan(plan: Plan, context: PlanContext): string {
  const groups = new Map<string, PlannedResource[]>();
  for (const item of plan.items) {
    const { group } = item.resource;
    groups.set(group, groups.get(group) ?? []);
    groups.get(group)?.push(item);
  }
  const width = labelWidth(plan);
  const blocks = [...groups]
    .map(([group, items]) => renderGroup(group, items, context.vaultOf?.(group) ?? context.vault, width))
    .filter((block) => block !== '');
  return [...blocks, summaryLine(plan, context), ''].join('\n');
}

/** Of the longest label that is shown with something beside it, so that the second column is one. */
function labelWidth({ items }: Plan): number {
  const shown = items.filter(({ decision }) => decision.kind !== 'keep' && decision.kind !== 'refuse');
  return Math.min(90, Math.max(50, ...shown.map(({ resource }) => resource.label.length)));
}

function renderGroup(group: string, items: readonly PlannedResource[], vault: string, width: number): string {
  const rows = items.flatMap((item) => renderItem(item, width));
  if (rows.length === 0) return '';
  const title = group === 'mesh' ? 'mesh' : `cluster ${group}`;
  return [`${title.padEnd(width + 2)}  vault ${vault}`, ...rows, ...unseenHints(items)].join('\n');
}

function renderItem({ resource, decision }: PlannedResource, width: number): string[] {
  const row = (text: string) => `  ${signs[decision.kind]} ${resource.label.padEnd(width)} ${text}`.trimEnd();
  switch (decision.kind) {
    case 'keep':
      return decision.warning === undefined ? [] : [`  ! ${decision.warning}`];
    case 'add':
    case 'change':
    case 'remove':
      return [row(resource.summary), ...decision.lines.map((line) => `      ${line}`)];
    case 'wait':
      return [row(decision.why), `      ${decision.next}`];
    case 'refuse':
      return [`  x ${decision.error.message}`, `      ${decision.error.hint ?? ''}`.trimEnd()];
    case 'unseen':
      return [row(decision.why)];
  }
}

/** One cause hides many things: its cure is told once. */
function unseenHints(items: readonly PlannedResource[]): string[] {
  const hints = items.flatMap(({ decision }) =>
    decision.kind === 'unseen' && decision.hint !== undefined ? [decision.hint] : [],
  );
  return [...new Set(hints)].map((hint) => `      ${hint}`);
}

function summaryLine({ items, changes }: Plan, { file, adopt = false }: PlanContext): string {
  const of = (kind: Decision['kind']) => items.filter(({ decision }) => decision.kind === kind);
  const warnings = of('keep').filter(({ decision }) => 'warning' in decision).length;
  const removals = of('remove').flatMap(({ decision }) => ('lines' in decision ? decision.lines : [])).length;
  const unseen = of('unseen').length;
  const named = (count: number, words: string): string[] => (count === 0 ? [] : [`${count} ${words}`]);
  const parts = [
    changes
      ? `${of('add').length} to add, ${of('change').length} to change, ${removals} to remove`
      : `nothing to change${unseen === 0 ? '' : ' in what could be seen'}`,
    ...named(warnings, `warning${warnings === 1 ? '' : 's'}`),
    ...named(of('wait').length, 'waiting for a signature'),
    ...named(of('refuse').length, 'refused'),
    ...named(unseen, 'not seen'),
    'nothing was written',
  ];
  const next = changes ? `        apply with: meshroot apply -f ${file}${adopt ? ' --adopt' : ''}` : '';
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
      ...('hint' in decision && { hint: decision.hint }),
      ...('next' in decision && { next: decision.next }),
    })),
  };
}
