import { formatFloat } from '../float-format.ts';
import { sprintf } from '../printf.ts';
import { quote } from '../quote.ts';
import { elementType, typeName } from '../types.ts';
import {
  FunctionError,
  type GoFunction,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
  sortedKeys,
  unbox,
} from '../values.ts';
import { define, type FunctionTable } from './define.ts';

const any = 'interface {}';

/** go-spew's dumps as text. Keys are sorted, and what Go alone knows, capacities and addresses, is made up. */
export const spewFunctions: FunctionTable = {
  spew_sdump: define([`...${any}`], 'string', (a) => a.raw.map((v) => `${dumped(unbox(v), 0)}\n`).join('')),
  spew_sprintf: define(['string', `...${any}`], 'string', (a) =>
    sprintf(a.text(0), a.raw.slice(1).map(unbox)),
  ),
  spew_dump: toOutput('spew_dump', 'spew_sdump'),
  spew_printf: toOutput('spew_printf', 'spew_sprintf'),
};

function toOutput(name: string, instead: string): GoFunction {
  return define([`...${any}`], 'string', () => {
    throw new FunctionError(`${name} would print secrets to the output of the agent; use ${instead}`);
  });
}

function dumped(v: GoValue, depth: number): string {
  if (v === undefined) return depth === 0 ? `(${any}) <nil>` : '<nil>';
  if (v instanceof NilPointer) return `(${v.type})(<nil>)`;
  const pad = ' '.repeat(depth);
  const block = (rows: readonly string[]): string =>
    `{\n${rows.map((r) => `${pad} ${r}`).join(',\n')}${rows.length > 0 ? '\n' : ''}${pad}}`;
  if (v instanceof GoStruct) {
    const rows = [...v.fields].map(([k, item]) => `${k}: ${element(any, item, depth)}`);
    return `(${v.type})(0xc000000000)(${block(rows)})`;
  }
  const head = `(${typeName(v)}) `;
  if (v instanceof GoSlice) {
    const size = v.items.length;
    const length = size === 0 ? '' : `(len=${size} cap=${size}) `;
    return head + length + block(v.items.map((item) => element(elementType(v.type), item, depth)));
  }
  if (v instanceof GoMap) {
    const rows = sortedKeys(v.entries).map(
      (k) => `${dumped(k, depth + 1)}: ${element(elementType(v.type), v.entries.get(k), depth)}`,
    );
    return `${head}${rows.length === 0 ? '' : `(len=${rows.length}) `}${block(rows)}`;
  }
  return head + scalar(v);
}

function element(type: string, item: GoValue, depth: number): string {
  const v = unbox(item);
  return v === undefined ? `(${type}) <nil>` : dumped(v, depth + 1);
}

function scalar(v: GoValue): string {
  const text = v instanceof JsonNumber ? v.text : v;
  if (typeof text === 'string') {
    const length = text.length === 0 ? '' : `(len=${text.length}) `;
    return length + (v instanceof JsonNumber ? text : quote(text));
  }
  if (typeof v === 'number') return formatFloat(v, 'g', -1);
  return String(v instanceof Sized ? v.value : v);
}
