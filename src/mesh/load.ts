import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { type Mesh, meshSchema } from './schema.ts';

/** A mesh.yaml is configuration, not data: larger ones are a mistake. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Reads and checks the mesh.yaml at `path`; relative file names in it count from its folder.
 * @throws MeshrootError `no-mesh-file`, `bad-mesh-file` (every problem with file, line, column)
 */
export async function loadMesh(path: string): Promise<Mesh> {
  const mesh = parseMesh(await readText(path), path);
  const from = (file: string) => (isAbsolute(file) ? file : join(path, '..', file));
  return {
    ...mesh,
    vault: { ...mesh.vault, ...(mesh.vault.caCert && { caCert: from(mesh.vault.caCert) }) },
    clusters: mesh.clusters.map((c) => ({ ...c, ...(c.kubeconfig && { kubeconfig: from(c.kubeconfig) }) })),
  };
}

/** Checks `text`; `name` is what errors call it. */
export function parseMesh(text: string, name: string): Mesh {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw refuse([`${at(name, lines, syntax.pos[0])}  ${firstLine(syntax.message)}`]);
  const parsed = meshSchema.safeParse(toPlain(document, name));
  if (!parsed.success) {
    throw refuse(
      parsed.error.issues.flatMap((issue) =>
        explain(issue).map(({ path, text: why }) => `${at(name, lines, offsetOf(document, path))}  ${why}`),
      ),
    );
  }
  const twice = duplicateCluster(parsed.data);
  if (twice !== undefined) {
    const place = at(name, lines, offsetOf(document, ['clusters', twice, 'name']));
    throw refuse([`${place}  clusters[${twice}].name is taken by an earlier cluster`]);
  }
  return parsed.data;
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxBytes) throw new MeshrootError('bad-mesh-file', `${path} is larger than 4 MiB`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof MeshrootError) throw error;
    throw new MeshrootError('no-mesh-file', `${path} cannot be read: ${codeOf(error) ?? messageOf(error)}`, {
      hint: 'name it with -f FILE; a small one to start from is in README.md',
      cause: error,
    });
  }
}

function toPlain(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refuse([`${name}  ${firstLine(messageOf(error))}`]);
  }
}

interface Explained {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** One line per problem: where, what, and the allowed words. */
function explain(issue: z.core.$ZodIssue): Explained[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const near = nearestWord(key, known);
      const asked = near === undefined ? '' : `; did you mean ${near}?`;
      const path = [...issue.path, key];
      return { path, text: `${pathText(path)} is not known here${asked}   (known: ${known.join(', ')})` };
    });
  }
  const path = issue.path;
  if (issue.code === 'invalid_value') {
    return [{ path, text: `${pathText(path)} must be ${issue.values.map(String).join(' or ')}` }];
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [
      {
        path,
        text: `${pathText(path)} ${issue.message.includes('undefined') ? 'is missing' : lower(issue.message)}`,
      },
    ];
  }
  return [{ path, text: `${pathText(path)} ${lower(issue.message)}` }];
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** The keys that the schema allows at `path`. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let node = meshJsonSchema() as JsonSchema | undefined;
  for (const step of path) node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
  return Object.keys(node?.properties ?? {});
}

/** The schema of mesh.yaml as JSON Schema, for editors and for naming allowed words. */
export function meshJsonSchema(): object {
  return z.toJSONSchema(meshSchema, { io: 'input' });
}

/** Where in the text the deepest existing node of `path` starts. */
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

function at(name: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text === '' ? 'the file' : text.replace(/^\./, '');
}

function duplicateCluster(mesh: Mesh): number | undefined {
  const seen = new Set<string>();
  const index = mesh.clusters.findIndex(({ name }) => seen.size === seen.add(name).size);
  return index === -1 ? undefined : index;
}

const refuse = (problems: string[]): MeshrootError =>
  new MeshrootError('bad-mesh-file', problems.join('\n'), {
    hint: 'nothing was read beyond it and nothing was changed',
  });
const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/[:.]$/, '');
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
