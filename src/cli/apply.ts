import { Command } from 'commander';
import { messageOf } from '../lib/errors.ts';
import { applyClusters, refuseIfAsked } from '../mesh/apply.ts';
import { desired } from '../mesh/desired.ts';
import { settleClusters, throwFailures } from '../mesh/each-cluster.ts';
import { loadMesh } from '../mesh/load.ts';
import { makePlan, type Plan } from '../mesh/plan.ts';
import { probeClusters } from '../mesh/probe-kubernetes.ts';
import { proveCluster } from '../mesh/prove.ts';
import { planContext, renderPlan } from '../mesh/render-plan.ts';
import type { Reach } from '../mesh/resource.ts';
import { clusterOf } from '../mesh/rotate-intermediate.ts';
import type { Mesh, MeshCluster } from '../mesh/schema.ts';
import { lockMesh } from '../server/mesh-lock.ts';
import { ApplyReport } from './apply-report.ts';
import { clusterProgress } from './cluster-progress.ts';
import { confirm } from './confirm.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { type PaceFlags, withPace } from './pace-flags.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot apply -f mesh.yaml            show the difference, ask, then make it so
  meshroot apply -f mesh.yaml --yes      ask nothing (for pipelines)
  meshroot apply -f mesh.yaml --adopt    take over what others made under the same names
  meshroot apply --yes --keep-going      leave out clusters that cannot be looked at or reached, do and prove the others

may be run again at any time, also after a crash: it goes on where it stopped
`;

interface Flags extends PaceFlags {
  readonly file: string;
  readonly yes: boolean;
  readonly adopt: boolean;
  readonly keepGoing: boolean;
  readonly json?: boolean;
}

/** `meshroot apply`: makes the world as mesh.yaml wants it. */
export function command(io: Io): Command {
  const apply = new Command()
    .description('make Vault and the clusters as mesh.yaml wants them')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--yes', 'do not ask', false)
    .option('--adopt', 'take over what others made under the same names', false)
    .option(
      '--keep-going',
      'leave out clusters that are refused, cannot be looked at or not be reached by Vault; do the others',
      false,
    )
    .option('--json', 'print JSON');
  return withPace(apply)
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

async function run(flags: Flags, io: Io): Promise<void> {
  const { file, yes, adopt, json = false, concurrency, keepGoing } = flags;
  const mesh = await loadMesh(file);
  const reach = await reachOf(mesh, io.env, flags);
  const report = new ApplyReport(io, json);
  const walk = (total: number, what: string) =>
    clusterProgress({ total, what, clock: reach.clock, tell: (line) => report.note(line) });
  const wanted = desired(mesh, { injector: injectorObjects });
  const looked = walk(mesh.clusters.length, 'looked at');
  const plan = await makePlan(
    wanted,
    reach,
    { now: reach.clock.now(), adopt },
    { concurrency, looked: () => looked(), signal: io.signal },
  );
  report.note(renderPlan(plan, planContext(mesh, file, adopt)).trimEnd());
  for (const [name, why] of skippedClusters(plan, keepGoing)) report.skipped.set(name, why);
  if (plan.changes && !yes) await confirm(io, 'apply this plan?');
  const release = await lockMesh(reach);
  try {
    await proveReach(mesh, plan, reach, { flags, report, signal: io.signal });
    const resources = wanted.filter(({ group }) => !report.skipped.has(group));
    const ended = walk(mesh.clusters.length - report.skipped.size, 'done');
    const progress = {
      done: report.done.bind(report),
      cluster: (_: string, failed: boolean) => ended(failed),
    };
    const options = { adopt, progress, concurrency, signal: io.signal };
    report.failures.push(...(await applyClusters(resources, reach, options)));
  } finally {
    await release();
  }
  await proveAll(mesh, reach, report, { concurrency, signal: io.signal });
  report.end(
    wanted.filter(({ group }) => !report.skipped.has(group)).length,
    mesh.clusters.length - report.skipped.size,
  );
  reach.vault.close();
}

interface Probing {
  readonly flags: Flags;
  readonly report: ApplyReport;
  readonly signal: AbortSignal;
}

/**
 * Vault has to reach the API servers before anything is written.
 * @throws MeshrootError that names those that it does not reach, unless told to keep going: then they are left out
 */
async function proveReach(
  mesh: Mesh,
  plan: Plan,
  reach: Reach,
  { flags, report, signal }: Probing,
): Promise<void> {
  const asked = toProbe(mesh, plan, report.skipped);
  const options = { concurrency: flags.concurrency, signal };
  const { unproven, failures } = await probeClusters(asked, reach, options);
  if (unproven !== undefined) report.note(`that vault reaches the API servers is not proven: ${unproven}`);
  if (!flags.keepGoing) throwFailures(failures, asked.length);
  for (const { cluster, error } of failures) report.skipped.set(cluster, messageOf(error));
}

/** Goes the way of istiod in every cluster that is as wanted; what fails is told with the rest. */
async function proveAll(
  mesh: Mesh,
  reach: Reach,
  report: ApplyReport,
  options: { readonly concurrency: number; readonly signal: AbortSignal },
): Promise<void> {
  const names = mesh.clusters.map(({ name }) => name).filter((name) => report.isDone(name));
  const ended = (name: string): void => reach.release?.(name);
  const failures = await settleClusters(names, { ...options, ended }, async (name) => {
    report.proof(name, await proveCluster(clusterOf(mesh, name), reach, mesh.trustDomain));
  });
  report.failures.push(...failures);
}

/** Clusters whose login is about to be configured, and asks an API server. */
function toProbe({ clusters }: Mesh, { items }: Plan, skipped: ReadonlyMap<string, string>): MeshCluster[] {
  const due = new Set(
    items
      .filter(
        ({ resource, decision }) => resource.reachesOut === true && /^(add|change)$/.test(decision.kind),
      )
      .map(({ resource }) => resource.group),
  );
  return clusters.filter((c) => due.has(c.name) && !skipped.has(c.name) && c.probeKubernetes);
}

/** Clusters that the plan cannot bring about, and why. Nothing is written of any cluster unless told to keep going. */
function skippedClusters({ items }: Plan, keepGoing: boolean): Map<string, string> {
  const skipped = new Map<string, string>();
  for (const item of items) {
    try {
      refuseIfAsked(item);
    } catch (error) {
      if (!keepGoing || item.resource.group === 'mesh') throw error;
      skipped.set(item.resource.group, messageOf(error));
    }
  }
  return skipped;
}
