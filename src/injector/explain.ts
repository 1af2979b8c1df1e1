import { MeshrootError, messageOf } from '../lib/errors.ts';
import { applyPatch, type PatchOperation } from '../lib/json-patch.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { isRecord } from '../lib/records.ts';
import { type AnnotationFact, annotationFacts, namedAnnotationFacts } from './annotation-facts.ts';
import { Annotations, vaultPrefix } from './annotations.ts';
import { askedFor, inject } from './inject.ts';
import { ownAnnotationFacts, ownPrefix } from './own-options.ts';
import { readAnnotations } from './pod.ts';
import type { ProjectedConfig } from './projected-config.ts';
import type { InjectorSettings } from './settings.ts';

export interface ExplainedAnnotation {
  readonly name: string;
  readonly value: string;
  /** `pod`; `profile`: what an annotation of ours stands for; `injector`: its default. */
  readonly from: 'pod' | 'profile' | 'injector';
  readonly effect: string;
}

export interface ExplainedAgent {
  readonly name: string;
  /** Undefined: it is in a ConfigMap of the user. */
  readonly configuration: unknown;
}

/** What would happen to a pod, and why. */
export interface Explanation {
  readonly decision: 'injected' | 'left-alone' | 'refused';
  readonly reason: string;
  readonly hint: string | undefined;
  readonly annotations: readonly ExplainedAnnotation[];
  readonly warnings: readonly string[];
  readonly agents: readonly ExplainedAgent[];
  readonly patch: readonly PatchOperation[];
  /** Name of the ConfigMap that the injector would write first, with the agents' configuration. */
  readonly configMap?: string;
  readonly pod: unknown;
}

/** Asks the same function that answers the API server. Pure; refuses nothing by throwing. */
export function explain(pod: unknown, namespace: string, settings: InjectorSettings): Explanation {
  const annotations = attempt(() => explainAnnotations(pod, settings)) ?? [];
  const base = { annotations, warnings: attempt(() => misspelt(pod)) ?? [], agents: [], patch: [], pod };
  try {
    const injection = inject(pod, namespace, settings);
    if (injection.kind === 'left-alone')
      return { ...base, decision: 'left-alone', reason: injection.why, hint: undefined };
    const { patch, configMap } = injection;
    const agents = agentsOf(patch, configMap);
    return {
      ...base,
      decision: 'injected',
      reason: agents.length === 0 ? 'no agent' : `agents: ${agents.map(({ name }) => name).join(', ')}`,
      hint: undefined,
      warnings: [...base.warnings, ...injection.warnings],
      agents,
      patch,
      ...(configMap === undefined ? {} : { configMap: configMap.name }),
      pod: applyPatch(pod, patch),
    };
  } catch (error) {
    const hint = error instanceof MeshrootError ? error.hint : undefined;
    return { ...base, decision: 'refused', reason: messageOf(error), hint };
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined; // the decision says what is wrong
  }
}

/** Defaults that decide where the secrets come from are told too; of the others only what was given. */
const telling = ['service', 'auth-path', 'role', 'agent-image'] as const;

function explainAnnotations(pod: unknown, settings: InjectorSettings): ExplainedAnnotation[] {
  const all = readAnnotations(pod);
  const { given } = askedFor(all, settings);
  const own = [...all].filter(([name]) => name.startsWith(ownPrefix));
  const defaults = new Annotations(given, settings);
  return [
    ...own.map(([name, value]) => ({ name, value, from: 'pod' as const, effect: effectOf(name) })),
    ...[...given].sort().map(([short, value]) => {
      const name = vaultPrefix + short;
      return {
        name,
        value,
        from: all.has(name) ? ('pod' as const) : ('profile' as const),
        effect: effectOf(name),
      };
    }),
    ...telling
      .filter((name) => !given.has(name))
      .map((name) => ({
        name: vaultPrefix + name,
        value: defaults.text(name),
        from: 'injector' as const,
        effect: effectOf(vaultPrefix + name),
      })),
  ];
}

function effectOf(name: string): string {
  return knownEffect(name) ?? 'is not known, and has no effect';
}

const facts: Readonly<Record<string, AnnotationFact>> = annotationFacts;
const ownFacts: Readonly<Record<string, string>> = ownAnnotationFacts;
/** The longer one first: one may be the start of another. */
const namedFacts = Object.entries<AnnotationFact>(namedAnnotationFacts).sort(
  ([a], [b]) => b.length - a.length,
);

function knownEffect(name: string): string | undefined {
  if (name.startsWith(ownPrefix)) return ownFacts[name.slice(ownPrefix.length)];
  const short = name.slice(vaultPrefix.length);
  return facts[short]?.effect ?? namedFacts.find(([prefix]) => short.startsWith(`${prefix}-`))?.[1].effect;
}

function misspelt(pod: unknown): string[] {
  const names = [...readAnnotations(pod).keys()];
  const ours = names.filter((name) => name.startsWith(vaultPrefix) || name.startsWith(ownPrefix));
  return ours
    .filter((name) => knownEffect(name) === undefined)
    .map((name) => {
      const [prefix, known] = name.startsWith(ownPrefix) ? [ownPrefix, ownFacts] : [vaultPrefix, facts];
      const near = nearestWord(name.slice(prefix.length), Object.keys(known));
      return `${name} is not known${near === undefined ? '' : `; did you mean ${prefix}${near}?`}`;
    });
}

function agentsOf(
  patch: readonly PatchOperation[],
  configMap: ProjectedConfig | undefined,
): ExplainedAgent[] {
  const added = patch.flatMap((operation) =>
    operation.op === 'add' && /^\/spec\/(initC|c)ontainers(\/(-|0))?$/.test(operation.path)
      ? [operation.value].flat()
      : [],
  );
  return added.filter(isRecord).map(({ name, env, args }) => ({
    name: typeof name === 'string' ? name : '',
    configuration: attempt(() =>
      configMap === undefined
        ? decodeConfiguration(Array.isArray(env) ? env.filter(isRecord) : [])
        : projectedFor(String(args), configMap),
    ),
  }));
}

/** An agent's command ends in the file that it reads. */
function projectedFor(command: string, { data }: ProjectedConfig): unknown {
  const [, text = ''] = Object.entries(data).find(([name]) => command.endsWith(`/${name}`)) ?? [];
  return JSON.parse(text);
}

function decodeConfiguration(env: readonly Readonly<Record<string, unknown>>[]): unknown {
  const parts = env.filter(({ name }) => typeof name === 'string' && /^VAULT_CONFIG(_\d+)?$/.test(name));
  if (parts.length === 0) return undefined;
  return JSON.parse(Buffer.from(parts.map(({ value }) => String(value)).join(''), 'base64').toString());
}
