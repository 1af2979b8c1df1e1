import { Command } from 'commander';
import { loadMesh } from '../mesh/load.ts';
import { exitCodeOfStatus, renderStatus, statusToJson } from '../mesh/render-status.ts';
import { meshStatus } from '../mesh/status.ts';
import type { Io } from './io.ts';
import { reachOf } from './reach.ts';
import { ttlFlag } from './ttl-flag.ts';

const examples = `
examples:
  meshroot status -f mesh.yaml                 root, intermediates, what istiod serves, who may log in
  meshroot status --within 30d --json          for monitoring: exit code 1 when something ends within 30 days
  meshroot status --watch                      again every 5 seconds, until Ctrl-C

exit codes: 0 all is well, 1 something ends soon, is missing or was not delivered, 2 not everything could be seen
`;

interface Flags {
  readonly file: string;
  readonly within: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** `meshroot status`: the trust tree of a living mesh; reads only. */
export function command(io: Io): Command {
  return new Command()
    .description('show the trust tree: each certificate, what is left of it, where it is, who reads it')
    .option('-f, --file <file>', 'the mesh', 'mesh.yaml')
    .option('--within <duration>', 'what ends sooner than this is told', '14d')
    .option('--watch', 'look again every 5 seconds')
    .option('--json', 'print JSON, one object per look')
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

const lookEvery = 5000;

async function run({ file, within, watch, json }: Flags, io: Io): Promise<void> {
  const mesh = await loadMesh(file);
  const reach = await reachOf(mesh, io.env);
  const alert = colours(io) ? (line: string) => `\u001b[31m${line}\u001b[0m` : (line: string) => line;
  do {
    const status = await meshStatus(mesh, reach);
    const context = { now: reach.clock.now(), within: ttlFlag(within), alert };
    io.stdout.write(
      json ? `${JSON.stringify(statusToJson(status, context))}\n` : renderStatus(status, context),
    );
    io.exitCode = exitCodeOfStatus(status, context);
    if (watch) await reach.clock.sleep(lookEvery, io.signal).catch(() => {}); // stopped: the loop ends below
  } while (watch && !io.signal.aborted);
  reach.vault.close();
}

/** On a terminal that shows them and a person who has not asked for none (no-color.org). */
function colours({ stdout, env }: Io): boolean {
  return 'isTTY' in stdout && stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
