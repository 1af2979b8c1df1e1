import { Command } from 'commander';
import { examine, type HopResult } from '../insight/doctor/examine.ts';
import { desired } from '../mesh/desired.ts';
import { loadMesh } from '../mesh/load.ts';
import { clusterOf } from '../mesh/rotate-intermediate.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot doctor -f mesh.yaml               every cluster, one after the other
  meshroot doctor eu -f mesh.yaml --json     one cluster, for programs

exit codes: 0 every link holds, 1 one is broken (it is named, with its fix), 2 not every link could be looked at

writes nothing: it asks for tokens that end within minutes, and logs in as istiod does
`;

interface Flags {
  readonly file: string;
  readonly json?: boolean;
}

interface Examined {
  readonly cluster: string;
  readonly hops: readonly HopResult[];
}

/** `meshroot doctor`: walks a login and a read hop by hop and names the broken link. */
export function command(io: Io): Command {
  return new Command()
    .description('walk from the API server to a workload certificate and name the one broken link')
    .argument('[cluster]', 'of mesh.yaml; all of them without it')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action((name: string | undefined, flags: Flags) => run(name, flags, io));
}

async function run(name: string | undefined, { file, json }: Flags, io: Io): Promise<void> {
  const mesh = await loadMesh(file);
  const chosen = name === undefined ? mesh.clusters : [clusterOf(mesh, name)];
  const reach = await reachOf(mesh, io.env);
  const wanted = desired(mesh, { injector: injectorObjects });
  const examined: Examined[] = [];
  for (const cluster of chosen) {
    const resources = wanted.filter(({ group }) => group === cluster.name);
    const one = { cluster: cluster.name, hops: await examine(mesh, cluster, reach, resources) };
    examined.push(one);
    if (!json) io.stdout.write(asText(one));
    reach.release?.(cluster.name);
  }
  const states = new Set(examined.flatMap(({ hops }) => hops.map(({ state }) => state)));
  io.exitCode = states.has('broken') ? 1 : states.has('unseen') ? 2 : 0;
  if (json) io.stdout.write(`${JSON.stringify({ ok: io.exitCode === 0, clusters: examined })}\n`);
  reach.vault.close();
}

const marks = { ok: 'ok', broken: 'BROKEN', unseen: '?', none: '-', after: '' } as const;

function asText({ cluster, hops }: Examined): string {
  const rows = hops.map(({ name, state, detail, fix }) => {
    const row = `  ${marks[state].padEnd(7)} ${name.padEnd(16)} ${detail}`;
    return fix === undefined ? row : `${row}\n${' '.repeat(27)}${fix}`;
  });
  return `${cluster}\n${rows.join('\n')}\n`;
}
