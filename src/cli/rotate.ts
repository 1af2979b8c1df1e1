import { join } from 'node:path';
import { Command } from 'commander';
import { humanDuration } from '../lib/duration.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { loadMesh } from '../mesh/load.ts';
import { rotateIntermediate } from '../mesh/rotate-intermediate.ts';
import type { Mesh } from '../mesh/schema.ts';
import type { RotationState, Step } from '../rotation/decide.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';

const examples = `
examples:
  meshroot rotate intermediate cluster1                     of the system that \`meshroot up\` runs here
  meshroot rotate intermediate prod-eu -f mesh.yaml         of any mesh
  meshroot rotate intermediate cluster1 --restart           forget an unfinished rotation and begin anew

may be stopped at any time: the same command goes on where it was; the journal is in Vault (meshroot-state)
`;

interface Flags {
  readonly file?: string;
  readonly dir: string;
  readonly restart: boolean;
  readonly json: boolean;
}

/** `meshroot rotate`: new CA certificates without an outage. */
export function command(io: Io): Command {
  const rotate = new Command().description('replace an intermediate CA while everything keeps running');
  rotate
    .command('intermediate')
    .description('give one cluster a new intermediate CA, seen through to a fresh workload certificate')
    .argument('<cluster>', 'name of a cluster of the mesh')
    .option('-f, --file <file>', 'the mesh; without it, that of the running `up`')
    .option('--dir <dir>', 'folder of the running `up`', '.meshroot')
    .option('--restart', 'forget an unfinished rotation', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', examples)
    .action((cluster: string, flags: Flags) => run(cluster, flags, io));
  rotate
    .command('root')
    .description('says how: a root is replaced by hand, in phases (docs/replace-a-root.md)')
    .allowExcessArguments()
    .allowUnknownOption()
    .action(() => {
      throw rootByHand();
    });
  return rotate;
}

/** Its gates open on what every workload and gateway of the mesh trusts, and meshroot does not see those yet. */
const rootByHand = (): MeshrootError =>
  new MeshrootError(
    'root-by-hand',
    'a root is replaced by hand: no command sees yet whether every workload trusts a new one',
    {
      hint: 'docs/replace-a-root.md has the phases and what to see before each; an intermediate: meshroot rotate intermediate CLUSTER',
      exit: 1,
    },
  );

async function run(cluster: string, flags: Flags, io: Io): Promise<void> {
  const mesh = await (flags.file === undefined ? meshOfUp(flags.dir) : loadMesh(flags.file));
  const env = flags.file === undefined ? { ...io.env, ...(await tokenOfUp(flags.dir, io)) } : io.env;
  const reach = await reachOf(mesh, env);
  const start = reach.clock.now();
  const report = reporter(io, cluster);
  const state = await rotateIntermediate(mesh, cluster, reach, {
    signal: io.signal,
    restart: flags.restart,
    report,
  });
  const took = reach.clock.now() - start;
  io.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...state, seconds: took / 1000 })}\n`
      : `${cluster}: intermediate ${state.oldSerial ?? '(none)'} -> ${state.newSerial}, confirmed by a fresh workload certificate, ${humanDuration(took)}\n`,
  );
  reach.vault.close();
}

async function meshOfUp(dir: string): Promise<Mesh> {
  try {
    return await loadMesh(join(dir, 'mesh.yaml'));
  } catch (error) {
    if (codeOf(error) !== 'no-mesh-file') throw error;
    throw new MeshrootError('no-running-up', `no \`meshroot up\` keeps its files in ${dir}`, {
      hint: 'start one, name its folder with --dir, or name another mesh with -f mesh.yaml',
      cause: error,
    });
  }
}

/** The running system's own root token, unless the caller brought one. */
async function tokenOfUp(dir: string, io: Io): Promise<Record<string, string>> {
  if (io.env.VAULT_TOKEN) return {};
  const { readFile } = await import('node:fs/promises');
  try {
    return { VAULT_TOKEN: (await readFile(join(dir, 'vault-token'), 'utf8')).trim() };
  } catch (error) {
    throw new MeshrootError(
      'no-vault-token',
      `${dir} has no vault-token: is \`meshroot up\` running there?`,
      {
        hint: 'name the folder with --dir, or the mesh with -f and the token with VAULT_TOKEN',
        cause: error,
      },
    );
  }
}

/** A line per gate; the waiting is told once, not at every look. */
function reporter(io: Io, cluster: string): (step: Step, state: RotationState | undefined) => void {
  let last = '';
  return (step) => {
    const text = describe(step);
    if (text === undefined || text === last) return;
    last = text;
    io.stderr.write(`  ${cluster.padEnd(12)} ${text}\n`);
  };
}

function describe(step: Step): string | undefined {
  switch (step.do) {
    case 'begin':
      return 'rotation begins';
    case 'issue':
      return 'making, judging and storing a new intermediate';
    case 'enter':
      return `${step.phase.padEnd(10)} ${step.newSerial}`;
    case 'wait':
      return step.reason;
    default:
      return undefined;
  }
}
