import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { agentInit } from './agent-init.ts';
import { agentStorm } from './agent-storm.ts';
import { caCsr } from './ca-csr.ts';
import { caHalfLoad } from './ca-half-load.ts';
import { caStorm } from './ca-storm.ts';
import { caVaultPki } from './ca-vault-pki.ts';
import { injectorAdmission } from './injector-admission.ts';
import { repository } from './lib/program.ts';
import type { Build, Question, Settings } from './lib/question.ts';
import { runRounds } from './lib/run-rounds.ts';
import { limitLines, markLines, resultTable } from './lib/table.ts';
import { meshClusters } from './mesh-clusters.ts';
import { storeKvRead } from './store-kv-read.ts';
import { storeLeases } from './store-leases.ts';
import { storeLogin, storeLoginLocal } from './store-login.ts';
import { storePkiSign } from './store-pki-sign.ts';
import { storePolicy } from './store-policy.ts';
import { storeStart } from './store-start.ts';
import { upOnce } from './up-once.ts';
import { x509Leaf } from './x509-leaf.ts';

const groups: Readonly<Record<string, readonly Question[]>> = {
  store: [storeKvRead, storeLogin, storeLoginLocal, storePkiSign, storePolicy, storeLeases, storeStart],
  injector: [injectorAdmission],
  agent: [agentInit, agentStorm],
  ca: [caCsr, caHalfLoad, caStorm, caVaultPki],
  x509: [x509Leaf],
  up: [upOnce],
};
/** Asked only by name: it takes many minutes. */
const long: Readonly<Record<string, readonly Question[]>> = { mesh: [meshClusters] };
const words = [...Object.keys(groups), ...Object.keys(long)];
const everything = Object.values(groups).flat();

interface Flags {
  readonly rounds: string;
  readonly seconds: string;
  readonly warmup: string;
  readonly also: readonly string[];
  readonly json?: boolean;
  readonly cpuProf?: string;
  readonly only?: string;
}

const program = new Command('bench')
  .description(`measures ours beside the real parts of PATH; the figures go to stdout, progress to stderr`)
  .argument(
    '[what...]',
    `${words.join(', ')}, or one question: ${everything.map(({ name }) => name).join(', ')}`,
  )
  .option('--rounds <n>', 'times that every variant runs', '5')
  .option('--seconds <s>', 'of measured load per run', '5')
  .option('--warmup <s>', 'of load before it', '4')
  .option('--also <name=checkout...>', 'other built checkouts of meshroot to measure in the same run', [])
  .option('--only <text>', 'variants whose name contains this')
  .option('--cpu-prof <folder>', 'every process of ours leaves a CPU profile there (and is slower)')
  .option('--json', 'one JSON object instead of tables')
  .action((what: string[], flags: Flags) => bench(what, flags));

async function bench(what: readonly string[], flags: Flags): Promise<void> {
  const questions = what.length === 0 ? everything : what.flatMap(questionsOf);
  execFileSync('npm', ['run', '-s', 'build'], { cwd: repository, stdio: 'inherit' });
  const scratch = mkdtempSync(join(tmpdir(), 'meshroot-bench-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(2));
  const settings: Settings = {
    rounds: positive(flags.rounds, '--rounds'),
    seconds: positive(flags.seconds, '--seconds'),
    warmup: Number(flags.warmup),
    builds: [buildOf('meshroot', repository), ...flags.also.map(otherBuild)].map((build) =>
      profiled(build, flags.cpuProf),
    ),
    scratch,
  };
  const report = [];
  if (flags.json !== true) process.stdout.write(`${machine()}\n`);
  for (const question of questions) {
    const answer = await ask(question, settings, flags.only);
    report.push(answer);
    if (flags.json !== true) process.stdout.write(`\n${answer.text}\n`);
  }
  if (flags.json === true) {
    const answers = report.map(({ text: _, ...answer }) => answer);
    process.stdout.write(`${JSON.stringify({ machine: machine(), questions: answers }, undefined, 2)}\n`);
  }
  process.exit(report.some(({ error }) => error !== undefined) ? 2 : 0);
}

function questionsOf(word: string): readonly Question[] {
  const found = groups[word] ?? long[word] ?? everything.filter(({ name }) => name === word);
  if (found.length > 0) return found;
  return program.error(`bench: "${word}" is none of ${words.join(', ')}`, { exitCode: 2 });
}

/** One question that cannot be measured does not take the others with it. */
async function ask(question: Question, settings: Settings, only = '') {
  const { name } = question;
  try {
    const plan = await question.prepare(settings);
    const variants = plan.variants.filter((variant) => variant.name.includes(only));
    const load = loadavg()[0]?.toFixed(1);
    const results = await runRounds(variants, settings.rounds, (variant, round, sample) => {
      process.stderr.write(`${name} ${round + 1}/${settings.rounds} ${variant} ${JSON.stringify(sample)}\n`);
    }).finally(() => plan.close?.());
    const marks = [...markLines(results, plan.marks), ...limitLines(results, plan.limits ?? [])];
    const text = [
      `### ${plan.title} (${name})`,
      `${plan.method}. ${settings.rounds} rounds of ${settings.seconds} s: median (min..max). Load of the machine before: ${load}.`,
      resultTable(results, plan.measures),
      ...[...marks, ...plan.notes].map((line) => `- ${line}`),
    ];
    const joined = `${text.slice(0, 3).join('\n\n')}\n\n${text.slice(3).join('\n')}`;
    return { name, text: joined, results: Object.fromEntries(results), marks, notes: plan.notes };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, text: `### ${name}\n\nnot measured: ${message}`, error: message };
  }
}

const buildOf = (name: string, checkout: string): Build => ({
  name,
  command: [process.execPath, join(checkout, 'bin/meshroot')],
});

function otherBuild(text: string): Build {
  const [, name, checkout] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && checkout !== undefined) return buildOf(name, checkout);
  return program.error(`bench: --also wants NAME=CHECKOUT, not "${text}"`, { exitCode: 2 });
}

/** Node's own profiler: see where the time of a slow row goes. */
function profiled({ name, command: [node = '', ...words] }: Build, folder: string | undefined): Build {
  const flags = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`];
  return { name, command: [node, ...flags, ...words] };
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  return program.error(`bench: ${flag} wants a number above 0, not "${text}"`, { exitCode: 2 });
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} x ${first?.model ?? 'unknown CPU'}, Node ${process.versions.node}, ${process.platform}`;
}

await program.parseAsync();
