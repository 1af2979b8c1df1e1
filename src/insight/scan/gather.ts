import { readdir, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { codeOf, MeshrootError } from '../../lib/errors.ts';
import { readLimitedFile } from '../../lib/limited-file.ts';
import type { RawFile, ScanFinding, ScanInput } from './input.ts';
import { bundlesOf } from './layouts.ts';
import { problemAt, readMaterial } from './read-material.ts';

export interface ScanLimits {
  readonly maxFiles: number;
  readonly maxFileSize: number;
  readonly maxDepth: number;
}

export const defaultLimits: ScanLimits = { maxFiles: 10_000, maxFileSize: 1024 * 1024, maxDepth: 16 };

/** Endings of files that are opened when a folder is scanned; a file that is named itself is always opened. */
export const endings = /\.(pem|crt|cer|cert|key|der)$/i;
/** Besides them. */
const meshFile = /^mesh\.ya?ml$/;
const isMesh = (path: string, bytes: Buffer): boolean =>
  /\.ya?ml$/.test(path) && /^(apiVersion: *["']?meshroot\/|kind: *["']?Mesh\b)/m.test(bytes.toString('utf8'));
const skippedFolders = new Set(['.git', 'node_modules']);

/**
 * Reads files and folders (recursively). A file that cannot be read or understood becomes a problem, the rest goes on.
 * @throws MeshrootError `no-such-path` when a path that was named does not exist
 */
export async function gather(
  paths: readonly string[],
  limits: ScanLimits = defaultLimits,
): Promise<ScanInput> {
  const problems: ScanFinding[] = [];
  const found = new Set<string>();
  for (const path of paths) await collect(normalize(path), found, problems, limits);
  const listed = [...found].sort();
  if (listed.length > limits.maxFiles) {
    const message = `${listed.length} files, only the first ${limits.maxFiles} were read`;
    problems.push({
      code: 'too-many-files',
      message,
      hint: 'scan the folders one by one',
      file: paths[0] ?? '.',
    });
  }
  const read: RawFile[] = [];
  for (const path of listed.slice(0, limits.maxFiles)) {
    const file = await readOne(path, limits, problems);
    if (file !== undefined) read.push(file);
  }
  const unreadable = problems.map(({ file }) => file);
  return { files: read, bundles: bundlesOf(read, unreadable), problems };
}

async function collect(
  path: string,
  found: Set<string>,
  problems: ScanFinding[],
  limits: ScanLimits,
): Promise<void> {
  const stats = await stat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') return problemAt(path, error);
    throw new MeshrootError('no-such-path', `there is no file or folder ${path}`);
  });
  if ('code' in stats) problems.push(stats);
  else if (!stats.isDirectory()) found.add(path);
  else await walk(path, 0, found, problems, limits);
}

async function walk(
  folder: string,
  depth: number,
  found: Set<string>,
  problems: ScanFinding[],
  limits: ScanLimits,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) =>
    problemAt(folder, error),
  );
  if (!Array.isArray(entries)) {
    problems.push(entries);
    return;
  }
  for (const entry of entries) {
    if (found.size > limits.maxFiles) return;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      // `..2026_11_22` are versions of a volume that Kubernetes has linked into the folder itself
      const skip = skippedFolders.has(entry.name) || entry.name.startsWith('..') || depth >= limits.maxDepth;
      if (!skip) await walk(path, depth + 1, found, problems, limits);
    } else if (
      (endings.test(entry.name) || meshFile.test(entry.name)) &&
      (entry.isFile() || (await isLinkToFile(path)))
    )
      found.add(path);
  }
}

/** Links to folders are not followed, so there are no circles. */
const isLinkToFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => true, // a dangling link is reported when it is opened
  );

async function readOne(
  path: string,
  limits: ScanLimits,
  problems: ScanFinding[],
): Promise<RawFile | undefined> {
  try {
    const file = await readLimitedFile(path, limits.maxFileSize);
    if (file === undefined)
      throw new MeshrootError('file-unreadable', `${path} is gone, or a link to nothing`);
    if (isMesh(path, file.bytes)) {
      const { judgeMeshFile } = await import('./judge-mesh-file.ts'); // its rooms are loaded only for one
      problems.push(...(await judgeMeshFile(path)));
      return { path, mode: file.mode, certificates: [], key: undefined, text: '', isMesh: true };
    }
    return readMaterial({ path, ...file }, problems);
  } catch (error) {
    problems.push(problemAt(path, error));
    return undefined;
  }
}
