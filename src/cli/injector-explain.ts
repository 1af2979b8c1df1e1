import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { asAdmitted, podsOf, type WrittenPod } from '../injector/as-admitted.ts';
import { type Explanation, explain } from '../injector/explain.ts';
import type { InjectorSettings } from '../injector/settings.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { changedLines, lineDiff } from '../lib/line-diff.ts';
import { addFlags, givenFlags, readSettings } from './injector-flags.ts';
import type { Io } from './io.ts';

const examples = `
examples:
  # what the injector would do to the pods of a manifest, with the flags and environment it runs with
  meshroot injector explain istiod.yaml -vault-address=https://vault.example:8200 -cluster=cluster1

  # a pod of a cluster, under the policy of the injector
  kubectl get deployment shop -o yaml | meshroot injector explain - -vault-address=https://vault:8200 -policy-file=policy.yaml

exit code 1: a pod would be refused`;

interface Flags {
  readonly namespace?: string;
  readonly json?: boolean;
}

/** `meshroot injector explain FILE`: the decision of the webhook, without a cluster. */
export function explainCommand(io: Io): Command {
  const built = new Command('explain')
    .description('what would happen to the pods of a manifest, and why')
    .argument('<file>', 'YAML or JSON with pods, or with what makes pods; - for standard input')
    .option('--namespace <name>', 'of pods that name none (default: default)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples);
  addFlags(built);
  return built.action(async (file: string, flags: Flags) => {
    const settings = await withPolicy(readSettings(givenFlags(built), io.env));
    const pods = await readPods(file);
    const explained = pods.map((written) => {
      const namespace = written.namespace ?? flags.namespace ?? 'default';
      const before = asAdmitted(written.pod);
      return { name: written.name, namespace, before, ...explain(before, namespace, settings) };
    });
    if (flags.json === true) {
      const shown = explained.map(({ before: _, ...rest }) => rest);
      io.stdout.write(`${JSON.stringify({ pods: shown }, null, 2)}\n`);
    } else {
      const { stringify } = await import('yaml');
      for (const one of explained) io.stdout.write(`${render(one, stringify).join('\n')}\n`);
    }
    if (explained.some(({ decision }) => decision === 'refused')) io.exitCode = 1;
  });
}

async function withPolicy(
  settings: InjectorSettings & { readonly policyFile: string },
): Promise<InjectorSettings> {
  if (settings.policyFile === '') return settings;
  const { parsePolicy } = await import('../injector/policy-file.ts');
  return { ...settings, policy: parsePolicy(await read(settings.policyFile)) };
}

async function readPods(file: string): Promise<WrittenPod[]> {
  const { parseAllDocuments } = await import('yaml');
  const documents = [parseAllDocuments(await read(file), { logLevel: 'error' })].flat();
  const [broken] = documents.flatMap(({ errors }) => errors);
  if (broken !== undefined) {
    throw new MeshrootError('bad-manifest', `${file}: ${broken.message.split('\n')[0]}`, { exit: 2 });
  }
  const pods = documents.flatMap((document) => podsOf(document.toJS()));
  if (pods.length > 0) return pods;
  throw new MeshrootError('no-pod', `${file} holds no pod, and nothing that makes pods`, {
    hint: 'give a Pod, Deployment, StatefulSet, DaemonSet, Job or CronJob',
    exit: 2,
  });
}

async function read(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new MeshrootError('no-file', `cannot read ${file}: ${messageOf(error)}`, { exit: 2 });
  });
}

type Explained = Explanation & {
  readonly name: string;
  readonly namespace: string;
  readonly before: unknown;
};

function render(one: Explained, stringify: (value: unknown, options: object) => string): string[] {
  const yaml = (value: unknown): string => stringify(value, { lineWidth: 0 }).trimEnd();
  const width = Math.max(0, ...one.annotations.map(({ name }) => name.length));
  return [
    `${one.namespace}/${one.name}: ${one.decision} (${one.reason})`,
    ...(one.hint === undefined ? [] : [`      ${one.hint}`]),
    ...one.warnings.map((warning) => `  warning: ${warning}`),
    ...(one.configMap === undefined ? [] : [`  writes ConfigMap ${one.namespace}/${one.configMap} before`]),
    ...section(
      'annotations',
      one.annotations.map((a) => annotationLine(a, width)),
    ),
    ...one.agents.flatMap(({ name, configuration }) =>
      section(`configuration of ${name}`, [
        configuration === undefined ? 'in the ConfigMap' : yaml(configuration),
      ]),
    ),
    ...(one.patch.length === 0
      ? []
      : section(
          'changes of the pod',
          changedLines(lineDiff(yaml(one.before), yaml(one.pod)), 2).map(bounded),
        )),
  ];
}

function annotationLine(
  { name, value, from, effect }: Explained['annotations'][number],
  width: number,
): string {
  const shown =
    value.length > 40 || value.includes('\n') ? `${JSON.stringify(value).slice(0, 39)}…` : `"${value}"`;
  return `${name.padEnd(width)}  ${from.padEnd(8)}  ${shown}  ${effect}`;
}

/** Base64 of a configuration, which stands above in words. */
function bounded(line: string): string {
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`  ${title}`, ...lines.flatMap((line) => line.split('\n')).map((line) => `    ${line}`)];
}
