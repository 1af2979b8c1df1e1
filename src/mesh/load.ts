import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { expandClusters } from './expand.ts';
import { explainIssue } from './explain-issue.ts';
import { resolveFiles } from './resolve-files.ts';
import { clusterSchema, type Mesh, meshSchema } from './schema.ts';
import { unusable } from './unusable.ts';
import { type Placed, type PlacedYaml, pathText, placedYaml } from './yaml-places.ts';

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

/** Where a key of a cluster is: `file:line:column`, and what a person calls it. */
type Where = (path: readonly PropertyKey[]) => { readonly at: string; readonly name: string };

interface Read {
  readonly mesh: Mesh;
  /** Of each cluster. */
  readonly where: Where[];
}

/** A mesh, or with `clusterSchema` a file of one cluster (or pattern), which becomes a mesh without the rest. */
function readMesh(text: string, name: string, schema?: typeof clusterSchema): Read {
  const yaml = placedYaml(text, name);
  refuseAt(yaml, yaml.faults);
  const plain = withoutShorthand(toPlain(yaml, name));
  const { data, sources } = expandClusters(schema === undefined ? plain : { clusters: [plain] });
  const wrapped = schema === undefined ? meshSchema : z.strictObject({ clusters: z.array(schema) });
  const own = (path: readonly PropertyKey[]): readonly PropertyKey[] => {
    const source =
      path[0] === 'clusters' ? [path[0], sources[Number(path[1])] ?? path[1], ...path.slice(2)] : path;
    return (schema === undefined ? source : source.slice(2)).filter((step) => step !== undefined);
  };
  const parsed = wrapped.safeParse(data, { reportInput: true });
  if (!parsed.success) {
    const explained = parsed.error.issues.flatMap((issue) =>
      explainIssue(issue, (path) => pathText(own(path))),
    );
    refuseAt(
      yaml,
      explained.map(({ path, text: why }) => ({ offset: yaml.offsetOf(own(path)), text: why })),
    );
  }
  const mesh = parsed.data as Mesh;
  const where = mesh.clusters.map(
    (_, i): Where =>
      (path) => {
        const whole = own(['clusters', i, ...path]);
        return { at: yaml.at(yaml.offsetOf(whole)), name: pathText(whole) };
      },
  );
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

function refuseUnusable(mesh: Mesh, where: readonly Where[], name: string): void {
  const problems = unusable(mesh).map(({ cluster, path, text }) => {
    const { at, name: key } = where[cluster]?.(path) ?? { at: name, name: pathText(path) };
    return `${at}  ${text(key)}`;
  });
  if (mesh.clusters.length === 0) problems.push(`${name}:1:1  clusters needs at least one cluster`);
  if (problems.length > 0) throw refuse(problems);
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

function toPlain({ document }: PlacedYaml, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refuse([`${name}:1:1  ${messageOf(error).split('\n')[0]}`]);
  }
}

/** `root: offline` says it all when the defaults will do. */
function withoutShorthand(plain: unknown): unknown {
  return isRecord(plain) && plain.root === 'offline' ? { ...plain, root: { offline: {} } } : plain;
}

/** In the order of the file, each once: a pattern of a thousand clusters has one mistake, not a thousand. */
function refuseAt(yaml: PlacedYaml, problems: readonly Placed[]): void {
  if (problems.length === 0) return;
  const sorted = [...problems].sort((a, b) => a.offset - b.offset);
  throw refuse([...new Set(sorted.map(({ offset, text }) => `${yaml.at(offset)}  ${text}`))]);
}

const refuse = (problems: string[]): MeshrootError =>
  new MeshrootError('bad-mesh-file', problems.join('\n'), {
    hint: 'nothing was read beyond it and nothing was changed',
  });
