import { MeshrootError } from './errors.ts';

/** One operation of RFC 6902. `value` is used by add, replace and test; `from` by move and copy. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

const operations: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);
const maxOperations = 10_000; // as kube-apiserver

const bad = (message: string): MeshrootError => new MeshrootError('bad-json-patch', message, { status: 422 });

/**
 * Checks that `input` is a list of RFC 6902 operations.
 * @throws MeshrootError `bad-json-patch`
 */
export function parseJsonPatch(input: unknown): JsonPatchOperation[] {
  if (!Array.isArray(input)) throw bad('a JSON patch is a list of operations');
  if (input.length > maxOperations) {
    throw bad(`the allowed maximum operations in a JSON patch is ${maxOperations}, got ${input.length}`);
  }
  return input.map((entry: unknown) => parseOperation(entry));
}

function parseOperation(entry: unknown): JsonPatchOperation {
  if (typeof entry !== 'object' || entry === null) throw bad('an operation of a JSON patch is an object');
  const { op, path, from } = entry as Record<string, unknown>;
  if (typeof op !== 'string' || !operations.has(op)) throw bad(`unexpected kind: ${String(op)}`);
  if (typeof path !== 'string') throw bad(`the ${op} operation has no path`);
  parsePointer(path);
  if (op === 'move' || op === 'copy') {
    if (typeof from !== 'string') throw bad(`the ${op} operation has no from`);
    parsePointer(from);
  }
  if ((op === 'add' || op === 'replace' || op === 'test') && !('value' in entry)) {
    throw bad(`the ${op} operation has no value: "${path}"`);
  }
  return entry as JsonPatchOperation;
}

/** The unescaped tokens of an RFC 6901 pointer; `""` is the whole document. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw bad(`a path starts with "/": "${pointer}"`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One token of a pointer, escaped for RFC 6901. */
export const escapePointer = (token: string): string => token.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * The document after all operations (RFC 6902): all or nothing, the input is never changed.
 * @throws MeshrootError `bad-json-patch` for a path that does not exist or a failed test
 */
export function applyJsonPatch(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  // Values are copied when they go in, so that no later operation can change the caller's patch.
  const holder = { root: structuredClone(document) };
  for (const operation of patch) applyOne(holder, operation);
  return holder.root;
}

interface Holder {
  root: unknown;
}

function applyOne(holder: Holder, operation: JsonPatchOperation): void {
  const { op, path, from = '' } = operation;
  if (op === 'add') add(holder, path, structuredClone(operation.value));
  else if (op === 'remove') remove(holder, path);
  else if (op === 'copy') add(holder, path, structuredClone(read(holder, from)));
  else if (op === 'move') move(holder, from, path);
  else if (op === 'replace') {
    read(holder, path);
    put(holder, path, structuredClone(operation.value));
  } else if (!jsonEqual(read(holder, path), operation.value)) throw bad(`testing value ${path} failed`);
}

function move(holder: Holder, from: string, path: string): void {
  if (path.startsWith(`${from}/`)) throw bad(`a value cannot be moved into itself: "${from}" to "${path}"`);
  add(holder, path, remove(holder, from));
}

/** Own keys only: `__proto__` and `constructor` are plain words of the document, never the object's own machinery. */
const hasKey = (target: object, key: string): boolean => Object.hasOwn(target, key);

function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function parentOf(holder: Holder, path: string): { parent: unknown; key: string } {
  const tokens = parsePointer(path);
  const key = tokens.pop() ?? '';
  let parent = holder.root;
  for (const token of tokens) parent = child(parent, token, path);
  return { parent, key };
}

function child(parent: unknown, token: string, path: string): unknown {
  if (Array.isArray(parent)) return parent[indexOf(parent, token, path, parent.length - 1)];
  if (typeof parent === 'object' && parent !== null && hasKey(parent, token)) {
    return (parent as Record<string, unknown>)[token];
  }
  throw bad(`doc is missing path: "${path}": missing value`);
}

function indexOf(list: readonly unknown[], token: string, path: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(token)) throw bad(`"${token}" is not an index of a list: "${path}"`);
  const index = Number(token);
  if (index > last) throw bad(`index ${token} is outside of a list of ${list.length}: "${path}"`);
  return index;
}

function read(holder: Holder, path: string): unknown {
  if (path === '') return holder.root;
  const { parent, key } = parentOf(holder, path);
  return child(parent, key, path);
}

function add(holder: Holder, path: string, value: unknown): void {
  if (path === '') {
    holder.root = value;
    return;
  }
  const { parent, key } = parentOf(holder, path);
  if (Array.isArray(parent)) {
    parent.splice(key === '-' ? parent.length : indexOf(parent, key, path, parent.length), 0, value);
  } else if (typeof parent === 'object' && parent !== null) {
    setKey(parent as Record<string, unknown>, key, value);
  } else {
    throw bad(`doc is missing path: "${path}": missing value`);
  }
}

function put(holder: Holder, path: string, value: unknown): void {
  if (path === '') {
    holder.root = value;
    return;
  }
  const { parent, key } = parentOf(holder, path);
  if (Array.isArray(parent)) parent[indexOf(parent, key, path, parent.length - 1)] = value;
  else setKey(parent as Record<string, unknown>, key, value);
}

function remove(holder: Holder, path: string): unknown {
  const removed = read(holder, path);
  if (path === '') {
    holder.root = null;
    return removed;
  }
  const { parent, key } = parentOf(holder, path);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete (parent as Record<string, unknown>)[key];
  return removed;
}

/** Equality of two JSON values; the order of keys does not count (RFC 6902 section 4.6). */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => jsonEqual(item, b[i]));
  }
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = Object.entries(b).filter(([, v]) => v !== undefined);
  if (left.length !== right.length) return false;
  return left.every(
    ([key, value]) => hasKey(b, key) && jsonEqual(value, (b as Record<string, unknown>)[key]),
  );
}
