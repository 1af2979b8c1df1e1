import { Command } from 'commander';
import { type DesiredParts, desired } from '../mesh/desired.ts';
import { destroy, planDestroy, type Removal } from '../mesh/destroy.ts';
import { loadMesh } from '../mesh/load.ts';
import type { Resource } from '../mesh/resource.ts';
import { stateMount } from '../rotation/state-mount.ts';
import { lockMesh } from '../server/mesh-lock.ts';
import { confirm } from './confirm.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot destroy -f mesh.yaml            show what would go, ask, then take it away
  meshroot destroy -f mesh.yaml --yes      ask nothing

takes away what meshroot made and nothing else; what was there before, or was adopted, stays and is named.
the root goes too: certificates under it stay valid where they are trusted, but no new ones can be made
`;

interface Flags {
  readonly file: string;
  readonly yes: boolean;
  readonly json?: boolean;
}

/** `meshroot destroy`: takes away exactly what meshroot made. */
export function command(io: Io): Command {
  return new Command()
    .description('take away what meshroot made, and nothing else')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--yes', 'do not ask', false)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

const parts: DesiredParts = { injector: injectorObjects };

async function run({ file, yes, json }: Flags, io: Io): Promise<void> {
  const mesh = await loadMesh(file);
  const reach = await reachOf(mesh, io.env);
  const removals = await planDestroy(desired(mesh, parts), reach);
  const going = removals.filter(({ stays }) => stays === undefined);
  if (!json) for (const removal of removals) io.stderr.write(rowOf(removal));
  if (going.length > 0 && !yes) await confirm(io, `take away these ${going.length}?`);
  const gone: object[] = [];
  const stayed = removals.flatMap(({ resource, stays }) =>
    stays === undefined ? [] : [told(resource, stays)],
  );
  const removed = (resource: Resource, why: string | undefined): void => {
    if (why !== undefined) stayed.push(told(resource, why));
    else gone.push({ group: resource.group, label: resource.label });
    if (why !== undefined && !json) io.stderr.write(`  stays ${resource.group} ${resource.label}: ${why}\n`);
  };
  // Without its state nothing of meshroot's is at work here, and a lock would only make that anew.
  const known = removals.some(({ resource }) => resource.label === `state ${stateMount}`);
  const release = known ? await lockMesh(reach) : undefined;
  try {
    await destroy(removals, reach, { removed });
  } finally {
    await release?.();
  }
  io.stdout.write(
    json
      ? `${JSON.stringify({ removed: gone, stayed })}\n`
      : `${gone.length} taken away, ${stayed.length} of others left as they are\n`,
  );
  reach.vault.close();
}

const told = ({ group, label }: Resource, why: string) => ({ group, label, why });

function rowOf({ resource: { group, label }, stays }: Removal): string {
  const row = `  ${stays === undefined ? '-' : ' '} ${group.padEnd(12)} ${label.padEnd(50)}`;
  return `${`${row} ${stays === undefined ? '' : `stays: ${stays}`}`.trimEnd()}\n`;
}
