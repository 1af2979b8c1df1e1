import { MeshrootError } from '../errors.ts';

/** A value of HCL 1 or JSON. `null` occurs only in the JSON form. */
export type HclValue = string | number | boolean | null | readonly HclValue[] | HclObject;

/** A file, block or object: its entries in the order of the text; a key may occur more than once. */
export interface HclObject {
  readonly entries: readonly HclEntry[];
}

/** `key = value`, or `key "label" … { … }` (then `value` is the block's object). Lines and columns count from 1. */
export interface HclEntry {
  readonly key: string;
  readonly labels: readonly string[];
  readonly value: HclValue;
  readonly line: number;
  readonly column: number;
}

/** A block with its first label resolved, whichever of its spellings was used. */
export interface HclBlock {
  readonly label: string;
  readonly body: HclObject;
  readonly line: number;
  readonly column: number;
}

/** A text that cannot be read, and where. */
export class HclError extends MeshrootError {
  readonly line: number;
  readonly column: number;
  /** The reason without the position. */
  readonly reason: string;

  constructor(reason: string, at: { readonly line: number; readonly column: number }) {
    super('bad-hcl', `line ${at.line}, column ${at.column}: ${reason}`);
    this.reason = reason;
    this.line = at.line;
    this.column = at.column;
  }
}

export function isHclObject(value: HclValue): value is HclObject {
  return typeof value === 'object' && value !== null && 'entries' in value;
}

/**
 * The blocks named by `entry` as `key "label" { }`, `key = { label = { } }`, `key = [{ label = { } }]` or JSON's
 * `{"key": {"label": { }}}`: HCL 1 means the same by all of them.
 * @throws HclError for anything else
 */
export function labelledBlocks(entry: HclEntry): HclBlock[] {
  const [label, ...more] = entry.labels;
  if (label !== undefined) {
    if (more.length > 0 || !isHclObject(entry.value)) {
      throw new HclError(`"${entry.key}" takes one label and a block`, entry);
    }
    return [{ label, body: entry.value, line: entry.line, column: entry.column }];
  }
  const groups: readonly HclValue[] = Array.isArray(entry.value) ? entry.value : [entry.value as HclValue];
  return groups.flatMap((group) => {
    if (!isHclObject(group)) throw new HclError(`"${entry.key}" must be a block with a label`, entry);
    return group.entries.flatMap((inner) => blocksBelow(entry.key, inner));
  });
}

function blocksBelow(key: string, inner: HclEntry): HclBlock[] {
  const bodies: readonly HclValue[] = Array.isArray(inner.value) ? inner.value : [inner.value as HclValue];
  return bodies.map((body) => {
    if (!isHclObject(body) || inner.labels.length > 0) {
      throw new HclError(`"${key}" "${inner.key}" must be a block`, inner);
    }
    return { label: inner.key, body, line: inner.line, column: inner.column };
  });
}

/**
 * The bodies of an unlabelled block that may be repeated: `key { } key { }` or `key = [{ }, { }]`.
 * @throws HclError when it is something else
 */
export function plainBlocks(entry: HclEntry): HclObject[] {
  const bodies: readonly HclValue[] = Array.isArray(entry.value) ? entry.value : [entry.value as HclValue];
  return bodies.map((body) => {
    if (!isHclObject(body) || entry.labels.length > 0) {
      throw new HclError(`"${entry.key}" must be a block without label`, entry);
    }
    return body;
  });
}

/** The tree as plain JSON-like data; labels become nested keys, a repeated key's last value wins. */
export function plainValue(value: HclValue): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (!isHclObject(value)) return value;
  return Object.fromEntries(
    value.entries.map(({ key, labels, value: inner }) => [
      key,
      labels.reduceRight<unknown>((body, label) => ({ [label]: body }), plainValue(inner)),
    ]),
  );
}
