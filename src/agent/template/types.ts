import {
  Boxed,
  Channel,
  Complex,
  GoFunction,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
} from './values.ts';

export type Kind =
  | 'invalid'
  | 'bool'
  | 'int'
  | 'uint'
  | 'float'
  | 'complex'
  | 'string'
  | 'slice'
  | 'map'
  | 'pointer'
  | 'func'
  | 'chan'
  | 'interface';

/** Go's name of the value's type as `%T` and error texts print it. */
export function typeName(v: GoValue): string {
  switch (typeof v) {
    case 'undefined':
      return '<nil>';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
  }
  if (v instanceof Boxed) return 'interface {}';
  if (v instanceof JsonNumber) return 'json.Number';
  if (v instanceof Complex) return 'complex128';
  if (v instanceof GoFunction) return functionType(v);
  return v.type;
}

function functionType(f: GoFunction): string {
  const params = f.params.map((p, i) => (f.variadic && i === f.params.length - 1 ? `...${p}` : p));
  return `func(${params.join(', ')}) ${f.result}`;
}

export function kindOf(v: GoValue): Kind {
  switch (typeof v) {
    case 'undefined':
      return 'invalid';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
  }
  if (v instanceof Boxed) return 'interface';
  if (v instanceof JsonNumber) return 'string';
  if (v instanceof GoSlice) return 'slice';
  if (v instanceof GoMap) return 'map';
  if (v instanceof Sized) return v.type.startsWith('u') ? 'uint' : 'int';
  if (v instanceof Complex) return 'complex';
  if (v instanceof GoStruct || v instanceof NilPointer) return 'pointer';
  return v instanceof Channel ? 'chan' : 'func';
}

/** Element type of `[]T` and `map[string]T`. */
export function elementType(type: string): string {
  return type.replace(/^(\[\]|map\[[^\]]*\])/, '');
}

/** The element as it lies in its container: boxed when the container holds `interface {}`. */
export function elementOf(container: GoSlice | GoMap, item: GoValue): GoValue {
  return elementType(container.type) === 'interface {}' && !(item instanceof Boxed) ? new Boxed(item) : item;
}

export function zeroOf(type: string): GoValue {
  if (type === 'interface {}') return new Boxed(undefined);
  if (type === 'string') return '';
  if (type === 'bool') return false;
  if (type === 'int') return 0n;
  if (type === 'float64') return 0;
  if (type === 'int64' || type === 'uint64' || type === 'uint8' || type === 'int32' || type === 'uint32')
    return new Sized(type, 0n);
  if (type.startsWith('[]')) return new GoSlice(type, []);
  if (type.startsWith('map[')) return new GoMap(type);
  return type.startsWith('*') ? new NilPointer(type, []) : undefined;
}

export function canBeNil(type: string): boolean {
  return type === 'interface {}' || type === 'reflect.Value' || /^(\[\]|map\[|\*|func)/.test(type);
}

export function isAssignable(v: GoValue, type: string): boolean {
  return type === 'interface {}' || type === 'reflect.Value' || typeName(v) === type;
}

/** Go's truth of `if`, `with`, `and`, `or`, `not`: not the zero of its type; a nil is false, a struct true. */
export function isTrue(v: GoValue): boolean {
  if (v instanceof Boxed) return isTrue(v.value);
  if (v === undefined || v === false || v === '' || v === 0n || v === 0 || v instanceof NilPointer)
    return false;
  if (v instanceof GoSlice) return v.items.length > 0;
  if (v instanceof GoMap) return v.entries.size > 0;
  if (v instanceof JsonNumber) return v.text !== '';
  if (v instanceof Sized) return v.value !== 0n;
  if (v instanceof Complex) return v.re !== 0 || v.im !== 0;
  return true;
}
