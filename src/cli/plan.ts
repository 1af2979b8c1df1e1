import { Command } from 'commander';
import { desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import { exitCodeOf, makePlan } from '../mesh/plan.ts';
import { planContext, planToJson, renderPlan } from '../mesh/render-plan.ts';
import { clusterProgress } from './cluster-progress.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { type PaceFlags, withPace } from './pace-flags.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot plan -f mesh.yaml             what apply would do; exit code 1 when there is something
  meshroot plan -f mesh.yaml --json      the same for programs
  meshroot plan --concurrency 64 --vault-rate 200      many clusters far away, and a Vault that others use

exit codes: 0 nothing would change, 1 something would (or is refused, or waits for a signature), 2 nothing would as far
as it could see, but rows with ? could not be looked at (or it could not run at all)

reads only, and no CA key where KV version 2 or the token's rights allow it; the token comes from VAULT_TOKEN or ~/.vault-token, the clusters from their kubeconfigs
`;

interface Flags extends PaceFlags {
  readonly file: string;
  readonly adopt: boolean;
  readonly json?: boolean;
}

/** `meshroot plan`: the difference between mesh.yaml and the world. */
export function command(io: Io): Command {
  const plan = new Command()
    .description('show what apply would change, and change nothing')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--adopt', 'plan to take over what others made under the same names', false)
    .option('--json', 'print JSON');
  return withPace(plan)
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

async function run({ file, adopt, json, ...pace }: Flags, io: Io): Promise<void> {
  const mesh = await loadMesh(file);
  const reach = await reachOf(mesh, io.env, pace);
  const { clock } = reach;
  const tell = (line: string): void => void (json || io.stderr.write(`${line}\n`));
  const looked = clusterProgress({ total: mesh.clusters.length, what: 'looked at', clock, tell });
  const plan = await makePlan(
    desired(mesh, { injector: injectorObjects }),
    reach,
    { now: clock.now(), adopt },
    { concurrency: pace.concurrency, signal: io.signal, looked: () => looked() },
  );
  io.stdout.write(
    json ? `${JSON.stringify(planToJson(plan))}\n` : renderPlan(plan, planContext(mesh, file, adopt)),
  );
  io.exitCode = exitCodeOf(plan);
  reach.vault.close();
}
