import {
  type AnnotationFact,
  type AnnotationName,
  annotationFacts,
  type NamedAnnotation,
  namedAnnotationFacts,
} from './annotation-facts.ts';
import { parseGoBool, parseGoFloat, parseGoInt, parseGoUint } from './go-values.ts';
import type { InjectorSettings } from './settings.ts';

export const vaultPrefix = 'vault.hashicorp.com/';

/** The `vault.hashicorp.com/` annotations of one pod over the defaults of the injector; keys without the prefix. */
export class Annotations {
  readonly #given: ReadonlyMap<string, string>;
  readonly #defaults: ReadonlyMap<string, string>;

  constructor(given: ReadonlyMap<string, string>, settings: InjectorSettings) {
    this.#given = given;
    this.#defaults = defaultsOf(settings);
  }

  has(name: AnnotationName): boolean {
    return this.#given.has(name);
  }

  text(name: AnnotationName): string {
    return this.#given.get(name) ?? this.#defaults.get(name) ?? '';
  }

  bool(name: AnnotationName): boolean {
    return parseGoBool(this.text(name));
  }

  int(name: AnnotationName): number {
    return parseGoInt(this.text(name));
  }

  uint(name: AnnotationName): number {
    return parseGoUint(this.text(name));
  }

  float(name: AnnotationName): number {
    return parseGoFloat(this.text(name));
  }

  /** Split at commas without trimming; empty gives no element. */
  csv(name: AnnotationName): string[] {
    const text = this.text(name);
    return text === '' ? [] : text.split(',');
  }

  /** The value of `annotation-NAME`, else its default, else undefined. */
  named(annotation: NamedAnnotation, name: string): string | undefined {
    const { default: fallback }: AnnotationFact = namedAnnotationFacts[annotation];
    return this.#given.get(`${annotation}-${name}`) ?? (typeof fallback === 'string' ? fallback : undefined);
  }

  /** `NAME` and value of every `annotation-NAME`, in order of NAME. */
  allNamed(annotation: NamedAnnotation): [string, string][] {
    const prefix = `${annotation}-`;
    const found: [string, string][] = [];
    for (const [key, value] of this.#given) {
      if (key.startsWith(prefix)) found.push([key.slice(prefix.length), value]);
    }
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const known = new WeakMap<InjectorSettings, ReadonlyMap<string, string>>();

/** What absent annotations mean: the settings decide it, so it is looked up once and not for every pod. */
function defaultsOf(settings: InjectorSettings): ReadonlyMap<string, string> {
  let defaults = known.get(settings);
  if (defaults === undefined) {
    const facts: [string, AnnotationFact][] = Object.entries(annotationFacts);
    const textOf = ({ default: fallback }: AnnotationFact) =>
      typeof fallback === 'function' ? fallback(settings) : (fallback ?? '');
    defaults = new Map(facts.map(([name, fact]) => [name, textOf(fact)]));
    known.set(settings, defaults);
  }
  return defaults;
}

/** Of all annotations of a pod those of Vault, without their prefix. */
export function vaultAnnotations(all: ReadonlyMap<string, string>): Map<string, string> {
  const own = new Map<string, string>();
  for (const [key, value] of all)
    if (key.startsWith(vaultPrefix)) own.set(key.slice(vaultPrefix.length), value);
  return own;
}
