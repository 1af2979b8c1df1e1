import { isDeepStrictEqual } from 'node:util';
import { MeshrootError } from './errors.ts';
import { isRecord } from './records.ts';

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly path: string; readonly from: string };

/** A path token as RFC 6901 writes it: `~` is `~0`, `/` is `~1`. */
export function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The tokens of an RFC 6901 pointer; `` is the whole document. @throws MeshrootError `bad-json-patch` */
export function pointerTokens(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw bad(`path "${pointer}" does not start with /`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => {
      if (/~(?![01])/.test(token)) throw bad(`path "${pointer}" has a ~ that is neither ~0 nor ~1`);
      return token.replaceAll('~1', '/').replaceAll('~0', '~');
    });
}

/** Reads an RFC 6902 document that came from outside. @throws MeshrootError `bad-json-patch` */
export function parsePatch(input: unknown): PatchOperation[] {
  if (!Array.isArray(input)) throw bad('a JSON patch is an array of operations');
  return input.map(parseOperation);
}

function parseOperation(input: unknown, i: number): PatchOperation {
  if (!isRecord(input)) throw bad(`operation ${i} is not an object`);
  const { op, path, from } = input;
  if (typeof path !== 'string') throw bad(`operation ${i} has no path`);
  pointerTokens(path);
  if (op === 'remove') return { op, path };
  if (op === 'add' || op === 'replace' || op === 'test') {
    if (!Object.hasOwn(input, 'value')) throw bad(`operation ${i} (${op}) has no value`);
    return { op, path, value: input.value };
  }
  if (op === 'move' || op === 'copy') {
    if (typeof from !== 'string') throw bad(`operation ${i} (${op}) has no from`);
    pointerTokens(from);
    return { op, path, from };
  }
  throw bad(`operation ${i} has an unknown op`);
}

/**
 * The document after all operations, in order; `document` itself stays as it was. All or nothing.
 * @throws MeshrootError `json-patch-failed` when an operation does not apply, `bad-json-patch` for a bad pointer
 */
export function applyPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  return patch.reduce(applyOperation, structuredClone(document));
}

function applyOperation(root: unknown, operation: PatchOperation): unknown {
  const { op, path } = operation;
  const tokens = pointerTokens(path);
  switch (op) {
    case 'add':
      return add(root, tokens, structuredClone(operation.value), path);
    case 'remove':
      return remove(root, tokens, path);
    case 'replace':
      at(root, tokens, path);
      return replace(root, tokens, structuredClone(operation.value), path);
    case 'test':
      if (isDeepStrictEqual(at(root, tokens, path), operation.value)) return root;
      throw failed(`test of "${path}" found another value`);
    case 'copy':
      return add(
        root,
        tokens,
        structuredClone(at(root, pointerTokens(operation.from), operation.from)),
        path,
      );
    case 'move':
      return move(root, operation.from, path);
  }
}

function move(root: unknown, from: string, path: string): unknown {
  if (path.startsWith(`${from}/`)) throw failed(`"${from}" cannot be moved into itself`);
  const value = at(root, pointerTokens(from), from);
  return from === path
    ? root
    : add(remove(root, pointerTokens(from), from), pointerTokens(path), value, path);
}

function at(root: unknown, tokens: readonly string[], path: string): unknown {
  return tokens.reduce<unknown>((node, token) => child(node, token, path), root);
}

function child(node: unknown, token: string, path: string): unknown {
  if (Array.isArray(node)) return node[index(token, node.length - 1, path)];
  if (isRecord(node) && Object.hasOwn(node, token)) return node[token];
  throw failed(`"${path}" does not exist`);
}

function add(root: unknown, tokens: readonly string[], value: unknown, path: string): unknown {
  const last = tokens.at(-1);
  if (last === undefined) return value;
  const parent = at(root, tokens.slice(0, -1), path);
  if (Array.isArray(parent)) {
    parent.splice(last === '-' ? parent.length : index(last, parent.length, path), 0, value);
  } else if (isRecord(parent)) setOwn(parent, last, value);
  else throw failed(`the parent of "${path}" is neither an object nor an array`);
  return root;
}

function replace(root: unknown, tokens: readonly string[], value: unknown, path: string): unknown {
  const last = tokens.at(-1);
  if (last === undefined) return value;
  const parent = at(root, tokens.slice(0, -1), path);
  if (Array.isArray(parent)) parent[index(last, parent.length - 1, path)] = value;
  else if (isRecord(parent)) setOwn(parent, last, value);
  return root;
}

function remove(root: unknown, tokens: readonly string[], path: string): unknown {
  at(root, tokens, path);
  const last = tokens.at(-1);
  if (last === undefined) return null;
  const parent = at(root, tokens.slice(0, -1), path);
  if (Array.isArray(parent)) parent.splice(index(last, parent.length - 1, path), 1);
  else if (isRecord(parent)) delete parent[last];
  return root;
}

function index(token: string, largest: number, path: string): number {
  if (!/^(0|[1-9]\d*)$/.test(token)) throw failed(`"${path}": "${token}" is not an index of an array`);
  const n = Number(token);
  if (n > largest) throw failed(`"${path}": index ${token} is out of range`);
  return n;
}

/** Defines rather than assigns, so that a member called `__proto__` is data and nothing else. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function bad(message: string): MeshrootError {
  return new MeshrootError('bad-json-patch', message, { status: 400 });
}

function failed(message: string): MeshrootError {
  return new MeshrootError('json-patch-failed', message, { status: 422 });
}
