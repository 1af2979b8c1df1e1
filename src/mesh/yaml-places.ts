import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** A problem and where in the text it is. */
export interface Placed {
  readonly offset: number;
  readonly text: string;
}

/** A YAML text whose every key can be found again by line and column. */
export interface PlacedYaml {
  readonly document: Document;
  /** What is no YAML, or not one document. */
  readonly faults: readonly Placed[];
  /** `file:line:column` of an offset. */
  at(offset: number): string;
  /** Where the deepest existing node of `path` starts. */
  offsetOf(path: readonly PropertyKey[]): number;
}

/** Anchors and `<<` work as in YAML 1.1, which most editors and Helm have taught people. */
export function placedYaml(text: string, name: string): PlacedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    merge: true,
  });
  return {
    document,
    faults: [...document.errors.map((error) => ({ offset: error.pos[0], text: inWords(error, text) }))]
      .slice(0, 1)
      .concat(document.errors.length > 0 ? [] : danglingAliases(document)),
    at: (offset) => {
      const { line, col } = lines.linePos(offset);
      return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
    },
    offsetOf: (path) => offsetOf(document, path),
  };
}

/** `clusters[1].intermediate.keyType`, as people write it. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text === '' ? 'the file' : text.replace(/^\./, '');
}

function inWords({ code, message, pos }: Document['errors'][number], text: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a mesh is one';
  if (code === 'DUPLICATE_KEY')
    return `${/^[^\s:]*/.exec(text.slice(pos[0]))?.[0]} is written twice in one block`;
  const line = (message.split('\n')[0] ?? '').replace(/[:.]$/, '');
  return line.charAt(0).toLowerCase() + line.slice(1);
}

function danglingAliases(document: Document): Placed[] {
  const found: Placed[] = [];
  visit(document, {
    Alias: (_, node) => {
      if (node.resolve(document) === undefined)
        found.push({
          offset: node.range?.[0] ?? 0,
          text: `*${node.source} has no anchor &${node.source} before it`,
        });
    },
  });
  return found;
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair !== undefined && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNodeWithRange(node)) return node.range[0];
  }
  return 0;
}

function isNodeWithRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
