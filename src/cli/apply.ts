import { hostname } from 'node:os';
import { Command } from 'commander';
import { humanDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { isProcessAlive } from '../lib/process-alive.ts';
import { apply, eachCluster, refuseIfAsked } from '../mesh/apply.ts';
import { takeApplyLock } from '../mesh/apply-lock.ts';
import { desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import { makePlan, type Plan, type PlannedResource } from '../mesh/plan.ts';
import { probeKubernetes } from '../mesh/probe-kubernetes.ts';
import { proveCluster } from '../mesh/prove.ts';
import { planContext, renderPlan } from '../mesh/render-plan.ts';
import { clusterOf } from '../mesh/rotate-intermediate.ts';
import type { Mesh, MeshCluster } from '../mesh/schema.ts';
import { applyProgress } from './apply-progress.ts';
import { confirm } from './confirm.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';
import { wholeNumber } from './whole-number.ts';

const examples = `
examples:
  meshroot apply -f mesh.yaml            show the difference, ask, then make it so
  meshroot apply -f mesh.yaml --yes      ask nothing (for pipelines)
  meshroot apply -f mesh.yaml --adopt    take over what others made under the same names

may be run again at any time, also after a crash: it goes on where it stopped
`;

interface Flags {
  readonly file: string;
  readonly yes: boolean;
  readonly adopt: boolean;
  readonly concurrency: number;
  readonly keepGoing: boolean;
  readonly json?: boolean;
}

/** `meshroot apply`: makes the world as mesh.yaml wants it. */
export function command(io: Io): Command {
  return new Command()
    .description('make Vault and the clusters as mesh.yaml wants them')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--yes', 'do not ask', false)
    .option('--adopt', 'take over what others made under the same names', false)
    .option(
      '--keep-going',
      'leave out clusters that are refused or cannot be looked at, do the others',
      false,
    )
    .option('--concurrency <n>', 'clusters at one time', wholeNumber(1, 999), 16)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

async function run({ file, yes, adopt, json, concurrency, keepGoing }: Flags, io: Io): Promise<void> {
  const mesh = await loadMesh(file);
  const reach = await reachOf(mesh, io.env);
  const wanted = desired(mesh, { injector: injectorObjects });
  const plan = await makePlan(wanted, reach, { now: reach.clock.now(), adopt });
  if (!json) io.stderr.write(renderPlan(plan, planContext(mesh, file)));
  const skipped = skippedClusters(plan, keepGoing);
  const resources = wanted.filter(({ group }) => !skipped.has(group));
  if (plan.changes && !yes) await confirm(io, 'apply this plan?');
  const written: PlannedResource[] = [];
  const waiting = new Map<string, PlannedResource['decision'] & { kind: 'wait' }>();
  const done = ({ decision, ...item }: PlannedResource, ms: number) => {
    if (decision.kind === 'wait') waiting.set(item.resource.group, decision);
    if (decision.kind !== 'add' && decision.kind !== 'change') return;
    written.push({ decision, ...item });
    if (!json)
      io.stdout.write(
        `  ${item.resource.group.padEnd(12)} ${item.resource.label.padEnd(50)} ${humanDuration(ms)}\n`,
      );
  };
  const release = await takeApplyLock(reach.vault, {
    clock: reach.clock,
    self: { host: hostname(), pid: process.pid },
    isAlive: isProcessAlive,
  });
  try {
    const unproven = await probeKubernetes(toProbe(mesh, plan, skipped), reach);
    if (unproven !== undefined && !json) {
      io.stderr.write(`that vault reaches the API servers is not proven: ${unproven}\n`);
    }
    const total = mesh.clusters.length - skipped.size;
    const cluster = applyProgress(total, reach.clock, (line) => json || io.stderr.write(`${line}\n`));
    await apply(resources, reach, { adopt, progress: { done, cluster }, concurrency });
  } finally {
    await release();
  }
  const proofs: { cluster: string; seen: string }[] = [];
  await eachCluster(
    mesh.clusters.map(({ name }) => name).filter((name) => !waiting.has(name) && !skipped.has(name)),
    concurrency,
    async (name) => {
      const seen = await proveCluster(clusterOf(mesh, name), reach, mesh.trustDomain);
      reach.release?.(name);
      proofs.push({ cluster: name, seen });
      if (!json) io.stdout.write(`  proof ${name.padEnd(12)} ${seen}\n`);
    },
  );
  const summary = {
    proofs,
    skipped: [...skipped].map(([cluster, why]) => ({ cluster, why })),
    waiting: [...waiting].map(([cluster, { why, next }]) => ({ cluster, why, next })),
    written: written.map(({ resource: { group, label }, decision }) => ({
      group,
      label,
      action: decision.kind,
    })),
  };
  for (const [name, { why, next }] of waiting) {
    if (!json) io.stderr.write(`  ${name.padEnd(12)} ${why}\n      ${next}\n`);
  }
  for (const [name, why] of skipped) {
    if (!json) io.stderr.write(`  ${name.padEnd(12)} left out: ${why}\n`);
  }
  if (waiting.size + skipped.size > 0) io.exitCode = 1;
  io.stdout.write(
    json ? `${JSON.stringify(summary)}\n` : `${written.length} written, ${resources.length} as wanted\n`,
  );
  reach.vault.close();
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
