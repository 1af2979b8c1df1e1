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
  readonly #settings: InjectorSettings;

  constructor(given: ReadonlyMap<string, string>, settings: InjectorSettings) {
    this.#given = given;
    this.#settings = settings;
  }

  has(name: AnnotationName): boolean {
    return this.#given.has(name);
  }

  text(name: AnnotationName): string {
    return this.#given.get(name) ?? this.#fallback(annotationFacts[name]);
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
    return [...this.#given]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]): [string, string] => [key.slice(prefix.length), value])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #fallback({ default: fallback }: AnnotationFact): string {
    return typeof fallback === 'function' ? fallback(this.#settings) : (fallback ?? '');
  }
}

/** Of all annotations of a pod those of Vault, without their prefix. */
export function vaultAnnotations(all: ReadonlyMap<string, string>): Map<string, string> {
  const own = new Map<string, string>();
  for (const [key, value] of all)
    if (key.startsWith(vaultPrefix)) own.set(key.slice(vaultPrefix.length), value);
  return own;
}
