import { Command } from 'commander';
import { desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import { makePlan } from '../mesh/plan.ts';
import { planToJson, renderPlan } from '../mesh/render-plan.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot plan -f mesh.yaml             what apply would do; exit code 1 when there is something
  meshroot plan -f mesh.yaml --json      the same for programs

reads only; the token comes from VAULT_TOKEN or ~/.vault-token, the clusters from their kubeconfigs
`;

/** `meshroot plan`: the difference between mesh.yaml and the world. */
export function command(io: Io): Command {
  return new Command()
    .description('show what apply would change, and change nothing')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--adopt', 'plan to take over what others made under the same names', false)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async ({ file, adopt, json }: { file: string; adopt: boolean; json?: boolean }) => {
      const mesh = await loadMesh(file);
      const reach = await reachOf(mesh, io.env);
      const plan = await makePlan(desired(mesh, { injector: injectorObjects }), reach, {
        now: reach.clock.now(),
        adopt,
      });
      io.stdout.write(
        json
          ? `${JSON.stringify(planToJson(plan))}\n`
          : renderPlan(plan, { vault: mesh.vault.address, file }),
      );
      const refused = plan.items.some(({ decision }) => decision.kind === 'refuse');
      io.exitCode = plan.changes || refused ? 1 : 0;
      reach.vault.close();
    });
}
