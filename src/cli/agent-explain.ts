import { readConfig } from '../agent/config/read-config.ts';
import { type ExplainedFile, type Explanation, explainAgent } from '../agent/explain.ts';
import { gatewayVerifier } from '../agent/sets/gateway.ts';
import { istioCaVerifier } from '../agent/sets/istio-ca.ts';
import { type AgentFlags, agentEnvironment } from './agent-process.ts';
import type { Io } from './io.ts';

/** `meshroot agent explain`: what the agent would do, without a secret and without the network. */
export async function explain(flags: AgentFlags, json: boolean, io: Io): Promise<void> {
  const read = await readConfig(flags.config, agentEnvironment(io.env, flags));
  const once = flags.exitAfterAuth;
  const config = once === undefined ? read : { ...read, exitAfterAuth: once !== 'false' };
  const explained = await explainAgent(config, [istioCaVerifier, gatewayVerifier]);
  io.stdout.write(json ? `${JSON.stringify(explained, null, 2)}\n` : text(explained));
  const files = [...explained.files, ...explained.sets.flatMap((set) => set.files)];
  io.exitCode = files.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

function text(e: Explanation): string {
  const facts = (of: Readonly<Record<string, string>>): string[] =>
    Object.entries(of).map(([key, value]) => `  ${key}: ${value}`);
  return [
    'store',
    ...facts(e.store),
    ...(e.login === undefined ? [] : ['login', ...facts(e.login)]),
    ...e.sinks.flatMap((sink) => ['sink', ...facts(sink)]),
    ...e.sets.flatMap(({ name, folder, files }) => [
      `set ${name} in ${folder}: verified whole, then swapped in at once`,
      ...files.flatMap(file),
    ]),
    ...(e.files.length === 0 ? [] : ['files']),
    ...e.files.flatMap(file),
    ...(e.process === undefined ? [] : [`process\n  ${e.process}`]),
    ...e.listeners.map((listener) => `listener ${listener}`),
    ...e.cache.map((line) => `cache: ${line}`),
    ...e.onChange.map((line) => `on change of ${line}`),
    'schedule',
    ...e.schedule.map((line) => `  ${line}`),
    ...e.warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
}

function file({ destination, mode, owner, reads, command, problem }: ExplainedFile): string[] {
  const row = (label: string, value: string): string => `    ${label}: ${value}`;
  return [
    `  ${destination}  (${destination.startsWith('$') ? 'environment' : `mode ${mode}`}${owner === undefined ? '' : `, owner ${owner}`})`,
    ...reads.map((read) => row('reads', read)),
    ...(command === undefined
      ? []
      : [row('runs', typeof command === 'string' ? command : command.join(' '))]),
    ...(problem === undefined ? [] : [row('problem', problem)]),
  ];
}
