import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import { isRecord } from '../lib/records.ts';
import { collisions } from './collisions.ts';
import { expandClusters } from './expand.ts';
import { resolveFiles } from './resolve-files.ts';
import { clusterSchema, type Mesh, meshSchema } from './schema.ts';

/** A mesh.yaml is configuration, not data: larger ones are a mistake. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Reads and checks the mesh.yaml at `path` and the folder that it names; relative file names count from their file.
 * @throws MeshrootError `no-mesh-file`, `bad-mesh-file` (every problem with file, line, column)
 */
export async function loadMesh(path: string): Promise<Mesh> {
  const { mesh, where } = readMesh(await readText(path), path);
  if (mesh.clustersFrom !== undefined) {
    const folder = join(path, '..', mesh.clustersFrom);
    for (const file of await clusterFiles(folder, path)) {
      const more = readMesh(await readText(file), file, clusterSchema);
      mesh.clusters.push(...more.mesh.clusters);
      where.push(...more.where);
    }
  }
  refuseUnusable(mesh, where, path);
  return resolveFiles(mesh, dirname(path));
}

/** Checks `text`; `name` is what errors call it. */
export function parseMesh(text: string, name: string): Mesh {
  const { mesh, where } = readMesh(text, name);
  refuseUnusable(mesh, where, name);
  return mesh;
}

interface Read {
  readonly mesh: Mesh;
  /** `file:line:column` and path of the name of each cluster. */
  readonly where: { readonly at: string; readonly path: string }[];
}

/** A mesh, or with `clusterSchema` a file of one cluster (or pattern), which becomes a mesh without the rest. */
function readMesh(text: string, name: string, schema?: typeof clusterSchema): Read {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw refuse([`${at(name, lines, syntax.pos[0])}  ${firstLine(syntax.message)}`]);
  const plain = withoutShorthand(toPlain(document, name));
  const { data, sources } = expandClusters(schema === undefined ? plain : { clusters: [plain] });
  const wrapped = schema === undefined ? meshSchema : z.strictObject({ clusters: z.array(schema) });
  const place = (path: readonly PropertyKey[]) => {
    const source =
      path[0] === 'clusters' ? [path[0], sources[Number(path[1])] ?? path[1], ...path.slice(2)] : path;
    const own = (schema === undefined ? source : source.slice(2)).filter((step) => step !== undefined);
    return { at: at(name, lines, offsetOf(document, own)), path: own };
  };
  const parsed = wrapped.safeParse(data);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) =>
      explain(issue, (path) => pathText(place(path).path)).map(
        ({ path, text: why }) => `${place(path).at}  ${why}`,
      ),
    );
    throw refuse([...new Set(problems)]); // a pattern of a thousand clusters has one mistake, not a thousand
  }
  const mesh = parsed.data as Mesh;
  const where = mesh.clusters.map((_, i) => {
    const { at: spot, path } = place(['clusters', i, 'name']);
    return { at: spot, path: pathText(path) };
  });
  return { mesh, where };
}

async function clusterFiles(folder: string, mesh: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw refuse([`${mesh}  clustersFrom: ${folder} cannot be read: ${codeOf(error) ?? messageOf(error)}`]);
  });
  return names
    .filter((file) => /\.ya?ml$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

/** What no schema can say: names are used once, patterns are spelt out, and there is something to do. */
function refuseUnusable(mesh: Mesh, where: Read['where'], name: string): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  mesh.clusters.forEach((cluster, i) => {
    const spot = where[i];
    if (spot === undefined) return;
    if (seen.size === seen.add(cluster.name).size) {
      problems.push(`${spot.at}  ${spot.path} is taken by an earlier cluster`);
    }
    if (cluster.name.includes('{'))
      problems.push(`${spot.at}  ${spot.path} has {n} but no each: { from, to }`);
    for (const why of keylessProblems(mesh, cluster)) problems.push(`${spot.at}  ${cluster.name}: ${why}`);
    if (cluster.name.length > 63) problems.push(`${spot.at}  ${spot.path} is longer than 63 characters`);
  });
  if (problems.length === 0) {
    for (const { cluster, message } of collisions(mesh)) problems.push(`${where[cluster]?.at}  ${message}`);
  }
  if (mesh.clusters.length === 0) problems.push(`${name}:1:1  clusters needs at least one cluster`);
  if (problems.length > 0) throw refuse(problems);
}

/** What cannot be where no file with a key leaves Vault. */
function keylessProblems(
  { root }: Mesh,
  { intermediate, istiod, access }: Mesh['clusters'][number],
): string[] {
  if (intermediate.delivery !== 'keyless') return [];
  const whole = access.filter(({ can, path }) => can !== 'audit' && path === undefined);
  return [
    ...(root.offline === undefined ? [] : ['delivery: keyless needs a root in vault, not an offline one']),
    ...(intermediate.import === undefined ? [] : ['delivery: keyless makes its own key, and imports none']),
    ...(istiod.deploy === undefined
      ? []
      : ['delivery: keyless is for meshroot ca; istiod needs delivery: file']),
    ...whole.map(({ name }) => `access ${name} needs a path, for delivery: keyless has no bundle`),
  ];
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxBytes) throw new MeshrootError('bad-mesh-file', `${path} is larger than 4 MiB`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof MeshrootError) throw error;
    throw new MeshrootError(
      'no-mesh-file',
      codeOf(error) === 'ENOENT'
        ? `${path} is not there`
        : `${path} cannot be read: ${codeOf(error) ?? messageOf(error)}`,
      {
        hint: 'name it with -f FILE; a fresh one: meshroot init',
        cause: error,
      },
    );
  }
}

function toPlain(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refuse([`${name}  ${firstLine(messageOf(error))}`]);
  }
}

/** `root: offline` says it all when the defaults will do. */
function withoutShorthand(plain: unknown): unknown {
  return isRecord(plain) && plain.root === 'offline' ? { ...plain, root: { offline: {} } } : plain;
}

interface Explained {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** One line per problem: where, what, and the allowed words. */
function explain(issue: z.core.$ZodIssue, name: (path: readonly PropertyKey[]) => string): Explained[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const near = nearestWord(key, known);
      const asked = near === undefined ? '' : `; did you mean ${near}?`;
      const path = [...issue.path, key];
      return { path, text: `${name(path)} is not known here${asked}   (known: ${known.join(', ')})` };
    });
  }
  const path = issue.path;
  if (issue.code === 'invalid_value') {
    return [{ path, text: `${name(path)} must be ${issue.values.map(String).join(' or ')}` }];
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [
      {
        path,
        text: `${name(path)} ${issue.message.includes('undefined') ? 'is missing' : lower(issue.message)}`,
      },
    ];
  }
  return [{ path, text: `${name(path)} ${lower(issue.message)}` }];
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** The keys that the schema allows at `path`. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let node: JsonSchema | undefined = longSchema();
  for (const step of path) node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
  return Object.keys(node?.properties ?? {});
}

/** The schema of mesh.yaml as JSON Schema, for naming allowed words. */
const longSchema = (): JsonSchema => z.toJSONSchema(meshSchema, { io: 'input' }) as JsonSchema;

/** The same with the shorthands, for editors. */
export function meshJsonSchema(): object {
  const schema = longSchema();
  const root = { anyOf: [{ const: 'offline' }, schema.properties?.root] };
  return { ...schema, properties: { ...schema.properties, root } };
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

const refuse = (problems: string[]): MeshrootError =>
  new MeshrootError('bad-mesh-file', problems.join('\n'), {
    hint: 'nothing was read beyond it and nothing was changed',
  });
const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/[:.]$/, '');
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
