import type { Fetched } from './fetch.ts';
import { type Brain, type Dependency, dependencyName } from './template/functions/vault.ts';
import type { GoStruct } from './template/values.ts';
import { fromUtf8, GoMap, GoSlice, type GoValue, JsonNumber } from './template/values.ts';

/** What has been read so far; notes, per evaluation, what was asked for and what was missing. */
export class TemplateBrain implements Brain {
  readonly #known: Map<string, Fetched>;
  #used = new Map<string, Dependency>();
  #missing = new Map<string, Dependency>();

  constructor(known: ReadonlyMap<string, Fetched> = new Map()) {
    this.#known = new Map(known);
  }

  /** All that has been read, by the name of the dependency. */
  get known(): ReadonlyMap<string, Fetched> {
    return this.#known;
  }

  remember(dependency: Dependency, fetched: Fetched): void {
    this.#known.set(dependencyName(dependency), fetched);
  }

  forgetAll(): void {
    this.#known.clear();
  }

  recall(dependency: Dependency): Fetched | undefined {
    return this.#known.get(dependencyName(dependency));
  }

  /** Starts noting for one evaluation. */
  begin(): {
    readonly used: ReadonlyMap<string, Dependency>;
    readonly missing: ReadonlyMap<string, Dependency>;
  } {
    this.#used = new Map();
    this.#missing = new Map();
    return { used: this.#used, missing: this.#missing };
  }

  secret(dependency: Dependency): GoStruct | undefined {
    const fetched = this.#ask(dependency);
    return fetched?.kind === 'secret' ? fetched.secret.value : undefined;
  }

  list(dependency: Dependency): readonly string[] | undefined {
    const fetched = this.#ask(dependency);
    return fetched?.kind === 'list' ? fetched.keys.map(fromUtf8) : undefined;
  }

  file(dependency: Dependency): string | undefined {
    const fetched = this.#ask(dependency);
    return fetched?.kind === 'file' ? fetched.text : undefined;
  }

  pems(dependency: Dependency): GoStruct | undefined {
    const fetched = this.#ask(dependency);
    return fetched?.kind === 'pems' ? fetched.value : undefined;
  }

  #ask(dependency: Dependency): Fetched | undefined {
    const name = dependencyName(dependency);
    this.#used.set(name, dependency);
    const fetched = this.#known.get(name);
    if (fetched === undefined) this.#missing.set(name, dependency);
    return fetched;
  }

  /** Takes the values that the last evaluation used out of a text that goes to a log. */
  redact(text: string): string {
    let clean = text;
    for (const name of this.#used.keys()) {
      const fetched = this.#known.get(name);
      if (fetched?.kind !== 'secret' && fetched?.kind !== 'pems') continue;
      const held =
        fetched.kind === 'pems' ? fetched.value.fields.get('Key') : fetched.secret.value.fields.get('Data');
      for (const value of textsIn(held)) {
        if (value.length > 2) clean = clean.replaceAll(value, '[redacted]');
      }
    }
    return clean;
  }
}

function textsIn(v: GoValue): string[] {
  if (typeof v === 'string') return [v];
  if (v instanceof JsonNumber) return [v.text];
  if (v instanceof GoSlice) return v.items.flatMap(textsIn);
  return v instanceof GoMap ? [...v.entries.values()].flatMap(textsIn) : [];
}
