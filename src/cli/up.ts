import { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { allChecks } from '../up/checks/all.ts';
import { runCheck } from '../up/checks/check.ts';
import { parseWith, type UpOptions } from '../up/options.ts';
import { upReport } from '../up/report.ts';
import { startUp, type Up } from '../up/run.ts';
import { shortestPath } from '../up/shortest-path.ts';
import { type Check, Steps } from '../up/steps.ts';
import { trustTree } from '../up/trust-tree.ts';
import { injectorObjects } from './injector-objects.ts';
import type { Io } from './io.ts';
import { wholeNumber } from './whole-number.ts';

const examples = `
examples:
  meshroot up                                        everything on this machine, checked, until Ctrl-C
  meshroot up --once                                 bring it up, check it, leave; exit code 1 when a check fails
  meshroot up --once --json --dir D                  the same for programs; D keeps certificates, logs and keys
  meshroot up --key-type rsa-4096                    keys as in the seed
  meshroot up --with istiod=/usr/local/bin/pilot-discovery --with vault=/usr/local/bin/bao

a folder that an earlier up left behind is used again: same store, same root; clusters are new each time
`;

interface Flags {
  readonly once: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly dir?: string;
  readonly clusters: number;
  readonly keyType?: string;
  readonly portBase?: number;
  readonly with: string[];
}

/** `meshroot up`: the whole system on this machine. */
export function command(io: Io): Command {
  const collect = (word: string, words: string[]) => [...words, word];
  return new Command()
    .description(
      'run the whole system on this machine: store, two clusters, injection, istiods, workloads; and check it',
    )
    .option('--once', 'check and leave', false)
    .option('--dir <dir>', 'keep everything here (default: ./.meshroot, removed at the end)')
    .option('--clusters <n>', 'how many clusters', wholeNumber(2, 9), 2)
    .option(
      '--key-type <type>',
      'of all CA keys: ec-p256, ec-p384 or rsa-4096 (default: ec-p384 root, ec-p256 below)',
    )
    .option(
      '--port-base <port>',
      'first port; 0 = any free ones (default: 8200, with --once 0)',
      wholeNumber(0, 65000),
    )
    .option(
      '--with <part=path>',
      'a real binary in the place of ours (vault, istiod, agent, injector), again and again; istiod@cluster1=… in one cluster',
      collect,
      [],
    )
    .option('--json', 'print one JSON object at the end', false)
    .option('--quiet', 'print only errors', false)
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io));
}

async function run(flags: Flags, io: Io): Promise<void> {
  const start = systemClock.now();
  const options = optionsOf(flags);
  const steps = new Steps(flags.json ? io.stderr : io.stdout, systemClock, flags.quiet);
  steps.line(`meshroot up                                   ${placeText(options)}`);
  const up = await startUp(options, { steps, signal: io.signal, parts: { injector: injectorObjects } });
  try {
    const checks = await check(up, steps, io.signal);
    const seconds = (systemClock.now() - start) / 1000;
    await tell(up, { flags, options, checks, seconds }, steps, io);
    if (checks.some(({ ok }) => !ok)) io.exitCode = 1;
    if (!options.once) await stopped(io.signal);
  } finally {
    steps.line('stopping');
    await up.stop();
  }
}

async function check({ system }: Up, steps: Steps, signal: AbortSignal): Promise<Check[]> {
  steps.line('checks');
  const results: Check[] = [];
  for (const item of allChecks) {
    signal.throwIfAborted();
    const result = await runCheck(item, system);
    steps.check(result);
    results.push(result);
  }
  return results;
}

interface Outcome {
  readonly flags: Flags;
  readonly options: UpOptions;
  readonly checks: readonly Check[];
  readonly seconds: number;
}

async function tell({ system, folder }: Up, outcome: Outcome, steps: Steps, io: Io): Promise<void> {
  const { flags, options, checks, seconds } = outcome;
  steps.line('trust tree');
  for (const line of await trustTree(system)) steps.line(`  ${line}`);
  const failed = checks.filter(({ ok }) => !ok).length;
  steps.line(`${checks.length - failed} checks ok, ${failed} failed, ${seconds.toFixed(1)}s`);
  if (flags.json)
    io.stdout.write(`${JSON.stringify(await upReport(system, { seconds, dir: folder.path, checks }))}\n`);
  if (options.once) return;
  const rotate = `bin/meshroot rotate intermediate ${system.clusters[0]?.name}${flags.dir === undefined ? '' : ` --dir ${flags.dir}`}`;
  steps.line(
    `next   . ${shortestPath(folder.file('env.sh'))} && curl -H "X-Vault-Token: $VAULT_TOKEN" $VAULT_ADDR/v1/sys/mounts`,
  );
  steps.line(`       kubectl --kubeconfig ${shortestPath(system.clusters[0]?.kubeconfig ?? '')} get pods -A`);
  steps.line(`       ${rotate}      metrics: ${system.metricsUrl}`);
  steps.line('Ctrl-C ends it');
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function optionsOf(flags: Flags): UpOptions {
  const keyType = (['ec-p256', 'ec-p384', 'rsa-4096'] as const).find((type) => type === flags.keyType);
  if (flags.keyType !== undefined && keyType === undefined) {
    throw new MeshrootError('bad-key-type', `--key-type ${flags.keyType} is not known here`, {
      hint: 'one of: ec-p256, ec-p384, rsa-4096',
    });
  }
  return {
    dir: flags.dir ?? '.meshroot',
    keepDir: flags.dir !== undefined,
    once: flags.once,
    clusters: flags.clusters,
    keyType,
    portBase: flags.portBase ?? (flags.once ? 0 : 8200),
    with: parseWith(flags.with, flags.clusters),
  };
}

const placeText = ({ dir, keepDir }: UpOptions): string =>
  keepDir ? `everything stays in ${dir}` : `everything stays in ./${dir}, removed at the end`;
