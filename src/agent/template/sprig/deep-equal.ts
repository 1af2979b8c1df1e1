import { typeName } from '../types.ts';
import { GoMap, GoSlice, type GoValue, integerOf, JsonNumber, unbox } from '../values.ts';

/** reflect.DeepEqual: values of different types are never equal. */
export function deepEqual(left: GoValue, right: GoValue): boolean {
  const [a, b] = [unbox(left), unbox(right)];
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof GoSlice && b instanceof GoSlice)
    return a.items.length === b.items.length && a.items.every((item, i) => deepEqual(item, b.items[i]));
  if (a instanceof GoMap && b instanceof GoMap)
    return (
      a.entries.size === b.entries.size &&
      [...a.entries].every(([k, v]) => b.entries.has(k) && deepEqual(v, b.entries.get(k)))
    );
  if (a instanceof JsonNumber && b instanceof JsonNumber) return a.text === b.text;
  const whole = integerOf(a);
  return whole === undefined ? a === b : whole === integerOf(b);
}
