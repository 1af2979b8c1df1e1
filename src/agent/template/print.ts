import { formatFloat } from './float-format.ts';
import {
  Args,
  Boxed,
  type Channel,
  Complex,
  type GoFunction,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
  sortedKeys,
} from './values.ts';

/** What `{{ value }}` prints: fmt.Fprint, with `<no value>` for nothing and pointers followed. */
export function printed(v: GoValue): string {
  if (v === undefined) return '<no value>';
  if (v instanceof GoStruct) return structText(v);
  return formatValue(v);
}

/** fmt's `%v`; `+` names struct fields. */
export function formatValue(v: GoValue, plus = false, depth = 0): string {
  switch (typeof v) {
    case 'undefined':
      return '<nil>';
    case 'string':
      return v;
    case 'boolean':
    case 'bigint':
      return String(v);
    case 'number':
      return formatFloat(v, 'g', -1);
  }
  if (v instanceof Boxed) return formatValue(v.value, plus, depth);
  if (v instanceof JsonNumber) return v.text;
  if (v instanceof Sized) return String(v.value);
  if (v instanceof GoSlice) return `[${v.items.map((i) => formatValue(i, plus, depth + 1)).join(' ')}]`;
  if (v instanceof GoMap) return mapText(v, plus, depth);
  if (v instanceof GoStruct && v.methods.has('String')) return structText(v);
  if (v instanceof GoStruct) return depth === 0 ? `&${structText(v, plus)}` : '0xc000000000';
  if (v instanceof NilPointer) return '<nil>';
  return v instanceof Complex ? complexText(v) : opaque(v);
}

function opaque(_: GoFunction | Channel): string {
  return '0xc000000000'; // Go prints an address
}

function complexText({ re, im }: Complex): string {
  const imaginary = formatFloat(im, 'g', -1);
  return `(${formatFloat(re, 'g', -1)}${/^[+-]/.test(imaginary) ? '' : '+'}${imaginary}i)`;
}

function mapText(map: GoMap, plus: boolean, depth: number): string {
  const pairs = sortedKeys(map.entries).map(
    (k) => `${k}:${formatValue(map.entries.get(k), plus, depth + 1)}`,
  );
  return `map[${pairs.join(' ')}]`;
}

function structText(s: GoStruct, plus = false): string {
  const own = s.methods.get('String');
  if (own !== undefined) return formatValue(own.call(new Args([])));
  const fields = [...s.fields].map(([name, v]) => (plus ? `${name}:` : '') + formatValue(v, plus, 1));
  return `{${fields.join(' ')}}`;
}

/** fmt.Sprint: a space between two operands when neither is a string. */
export function sprint(values: readonly GoValue[]): string {
  let out = '';
  for (const [i, v] of values.entries()) {
    if (i > 0 && !isText(v) && !isText(values[i - 1])) out += ' ';
    out += formatValue(v);
  }
  return out;
}

/** fmt.Sprintln: always spaces, and a newline. */
export function sprintln(values: readonly GoValue[]): string {
  return `${values.map((v) => formatValue(v)).join(' ')}\n`;
}

/** Of reflect kind string; json.Number counts as fmt tests the kind. */
function isText(v: GoValue): boolean {
  const inner = v instanceof Boxed ? v.value : v;
  return typeof inner === 'string' || inner instanceof JsonNumber;
}
