import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import { type HclEntry, type HclObject, isHclObject, plainBlocks, plainValue } from '../../lib/hcl/tree.ts';
import { nearestWord } from '../../lib/nearest-word.ts';

/** A block whose kind is its label or its `type`: `sink "file" { … }`, `{"type": "file", …}`. */
export interface TypedBlock {
  readonly type: string;
  readonly section: Section;
}

/** One block of an agent configuration, read key by key; errors name file, line, column and key. */
export class Section {
  readonly file: string;
  readonly name: string;
  readonly object: HclObject;

  constructor(file: string, name: string, object: HclObject) {
    this.file = file;
    this.name = name;
    this.object = object;
  }

  /** The last entry called `key`: a repeated scalar overrides. */
  entry(key: string): HclEntry | undefined {
    return this.object.entries.findLast((e) => e.key === key);
  }

  fail(reason: string, at?: HclEntry, hint?: string): never {
    const place = at === undefined ? this.file : `${this.file}:${at.line}:${at.column}`;
    throw new MeshrootError('bad-agent-config', `${place}: ${reason}`, {
      exit: 1,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  text(key: string): string | undefined {
    const entry = this.entry(key);
    if (entry === undefined || entry.value === null) return undefined;
    const { value } = entry;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return this.fail(`"${this.#path(key)}" must be a text`, entry);
  }

  boolean(key: string): boolean | undefined {
    const entry = this.entry(key);
    if (entry === undefined || entry.value === null) return undefined;
    const { value } = entry;
    if (typeof value === 'boolean') return value;
    const parsed = parseGoBool(String(value));
    return parsed ?? this.fail(`"${this.#path(key)}" must be true or false`, entry);
  }

  /** @param radix 8 for modes: of a text, as a number is what it is (`0600` is 384 to HCL, and 600 in JSON nobody's mode) */
  integer(key: string, radix = 10): number | undefined {
    const given = this.entry(key)?.value;
    if (typeof given === 'number' && Number.isInteger(given)) return given;
    const text = this.text(key);
    if (text === undefined || text === '') return undefined;
    const octal = radix === 8 ? 'the mode in octal digits, for example "0640"' : undefined;
    const digits = radix === 8 ? /^0?o?[0-7]+$/ : /^-?\d+$/;
    if (!digits.test(text)) this.fail(`"${this.#path(key)}" must be a whole number`, this.entry(key), octal);
    return Number.parseInt(text.replace(/^0?o/, ''), radix);
  }

  number(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined || text === '') return undefined;
    const n = Number(text);
    return Number.isFinite(n) ? n : this.fail(`"${this.#path(key)}" must be a number`, this.entry(key));
  }

  /** Milliseconds of a Go duration; a bare number is seconds. */
  duration(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined || text === '') return undefined;
    try {
      return parseDuration(text);
    } catch {
      return this.fail(
        `"${this.#path(key)}" is not a duration: "${text}"`,
        this.entry(key),
        'write for example 5m, 90s or 1h30m',
      );
    }
  }

  texts(key: string): readonly string[] {
    const entry = this.entry(key);
    if (entry === undefined || entry.value === null) return [];
    const value = plainValue(entry.value);
    if (Array.isArray(value) && value.every((v) => typeof v === 'string')) return value;
    return typeof value === 'string'
      ? [value]
      : this.fail(`"${this.#path(key)}" must be a list of texts`, entry);
  }

  /** All blocks called `key`, as one list whatever form they have. */
  sections(key: string): Section[] {
    return this.object.entries
      .filter((e) => e.key === key && e.value !== null)
      .flatMap((e) => this.#plainBlocks(e))
      .map((object) => new Section(this.file, this.#path(key), object));
  }

  #plainBlocks(entry: HclEntry): HclObject[] {
    try {
      return plainBlocks(entry);
    } catch (error) {
      return this.fail(`"${this.#path(entry.key)}" must be a block`, entry, messageOf(error));
    }
  }

  /** Refuses a second block of any of these names. */
  onlyOneOf(names: readonly string[]): void {
    for (const name of names) {
      const second = this.object.entries.filter((e) => e.key === name && e.value !== null)[1];
      if (this.sections(name).length > 1) this.fail(`at most one "${name}" block is allowed`, second);
    }
  }

  /** The last block called `key`. */
  section(key: string): Section | undefined {
    return this.sections(key).at(-1);
  }

  typed(key: string): TypedBlock[] {
    return this.object.entries
      .filter((e) => e.key === key && e.value !== null)
      .flatMap((entry) => this.#typedBlocks(key, entry));
  }

  #typedBlocks(key: string, entry: HclEntry): TypedBlock[] {
    const bodies = Array.isArray(entry.value) ? entry.value : [entry.value];
    return bodies.flatMap((body) => {
      if (!isHclObject(body)) return this.fail(`"${this.#path(key)}" must be a block`, entry);
      const section = new Section(this.file, this.#path(key), body);
      const type = section.text('type') ?? entry.labels[0];
      if (type !== undefined) return [{ type, section }];
      return this.#byLabel(key, body, entry);
    });
  }

  /** JSON has no labels: `{"file": {…}}` stands for `"file" {…}`. */
  #byLabel(key: string, body: HclObject, entry: HclEntry): TypedBlock[] {
    const blocks = body.entries.filter(({ value }) => isHclObject(value) || Array.isArray(value));
    if (blocks.length === 0 || blocks.length < body.entries.length)
      return this.fail(`"${this.#path(key)}" needs a type`, entry);
    return blocks.flatMap((block) =>
      this.#plainBlocks(block).map((object) => ({
        type: block.key,
        section: new Section(this.file, this.#path(key), object),
      })),
    );
  }

  /** Refuses keys that are not in `known`, with the nearest word. */
  onlyKnows(known: readonly string[]): void {
    for (const entry of this.object.entries) {
      if (known.includes(entry.key)) continue;
      const near = nearestWord(entry.key, known);
      this.fail(
        `"${entry.key}" is not a key of ${this.name}`,
        entry,
        near === undefined ? `it takes ${known.join(', ')}` : `did you mean: ${near}`,
      );
    }
  }

  #path(key: string): string {
    return this.name === '' ? key : `${this.name}.${key}`;
  }
}

/** strconv.ParseBool, and the empty text as false. */
export function parseGoBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['', '0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}
