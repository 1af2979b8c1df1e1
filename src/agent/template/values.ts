/**
 * Go values as a template sees them. Go strings are bytes, so here a Go string is a JavaScript "binary" string: one
 * character per byte (`fromUtf8`, `toUtf8`). Go's `int` is a bigint, `float64` a number, an invalid `reflect.Value` is
 * `undefined`; everything whose Go type shows in output or errors has a class.
 */
export type GoValue =
  | undefined
  | string
  | boolean
  | bigint
  | number
  | Sized
  | Complex
  | JsonNumber
  | GoSlice
  | GoMap
  | GoStruct
  | NilPointer
  | GoFunction
  | Channel
  | Boxed;

/** A value held in an `interface {}` slot (map element, list element): Go's errors and nil rules see the slot. */
export class Boxed {
  readonly value: GoValue;
  constructor(value: GoValue) {
    this.value = value;
  }
}

export class Sized {
  readonly type: 'int64' | 'int32' | 'uint64' | 'uint8' | 'uint32';
  readonly value: bigint;
  constructor(type: Sized['type'], value: bigint) {
    this.type = type;
    this.value = value;
  }
}

export class Complex {
  readonly re: number;
  readonly im: number;
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** A number as its literal text in the JSON of Vault: `1.0` and 20-digit integers stay what they are. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class GoSlice {
  /** `[]interface {}`, `[]string`, … */
  readonly type: string;
  readonly items: readonly GoValue[];
  constructor(type: string, items: readonly GoValue[]) {
    this.type = type;
    this.items = items;
  }
}

export class GoMap {
  /** `map[string]interface {}`, `map[string]string`, … */
  readonly type: string;
  readonly entries: Map<string, GoValue>;
  constructor(type: string, entries: Map<string, GoValue> = new Map()) {
    this.type = type;
    this.entries = entries;
  }
}

/** A non-nil pointer to a struct. */
export class GoStruct {
  /** With the star: `*dependency.Secret`. */
  readonly type: string;
  readonly fields: ReadonlyMap<string, GoValue>;
  readonly methods: ReadonlyMap<string, GoFunction>;
  constructor(
    type: string,
    fields: ReadonlyMap<string, GoValue>,
    methods: ReadonlyMap<string, GoFunction> = new Map(),
  ) {
    this.type = type;
    this.fields = fields;
    this.methods = methods;
  }
}

export class NilPointer {
  readonly type: string;
  readonly fields: ReadonlySet<string>;
  constructor(type: string, fields: readonly string[]) {
    this.type = type;
    this.fields = new Set(fields);
  }
}

export class Channel {
  readonly type: string;
  readonly values: Iterable<GoValue>;
  constructor(type: string, values: Iterable<GoValue>) {
    this.type = type;
    this.values = values;
  }
}

/** A callable with Go parameter types; a last parameter of `...T` is variadic. */
export class GoFunction {
  readonly params: readonly string[];
  readonly variadic: boolean;
  readonly result: string;
  readonly call: (args: Args) => GoValue;
  constructor(params: readonly string[], result: string, call: (args: Args) => GoValue) {
    const last = params.at(-1);
    this.variadic = last?.startsWith('...') === true;
    this.params = this.variadic ? [...params.slice(0, -1), (last ?? '').slice(3)] : params;
    this.result = result;
    this.call = call;
  }
}

/** Thrown by a function's body; the evaluator prefixes `error calling NAME: `. */
export class FunctionError extends Error {}

/** The arguments of a call, already checked against the parameter types. */
export class Args {
  readonly raw: readonly GoValue[];
  constructor(raw: readonly GoValue[]) {
    this.raw = raw;
  }
  get length(): number {
    return this.raw.length;
  }
  value(i: number): GoValue {
    return unbox(this.raw[i]);
  }
  text(i: number): string {
    const v = this.value(i);
    return typeof v === 'string' ? v : '';
  }
  int(i: number): bigint {
    return integerOf(this.value(i)) ?? 0n;
  }
  items(i: number): readonly GoValue[] {
    const v = this.value(i);
    return v instanceof GoSlice ? v.items : [];
  }
  texts(from: number): string[] {
    return this.raw.slice(from).map((v) => (typeof v === 'string' ? v : ''));
  }
  map(i: number): ReadonlyMap<string, GoValue> {
    const v = this.value(i);
    return v instanceof GoMap ? v.entries : new Map();
  }
}

export function unbox(v: GoValue): GoValue {
  return v instanceof Boxed ? v.value : v;
}

/** The integer in an `int` or a sized one, or undefined. */
export function integerOf(v: GoValue): bigint | undefined {
  if (typeof v === 'bigint') return v;
  return v instanceof Sized ? v.value : undefined;
}

export function fromUtf8(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

export function toUtf8(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Map of `interface {}` values from a plain object or entries. */
export function stringMap(entries: Iterable<readonly [string, GoValue]>): GoMap {
  return new GoMap('map[string]interface {}', new Map(entries));
}

/** Keys in the order Go prints and ranges: by bytes. */
export function sortedKeys(map: ReadonlyMap<string, GoValue>): string[] {
  return [...map.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
